// Which configuration files that were only found are believed. A file in the present folder may be anybody's: it came
// with a repository, an archive, a folder that others write to. What can do harm it may say only when it was named, or
// trusted once as it is: its path and the hash of its content stand in a file of the user's own.
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Environment } from "@strongroom/base/settings";
import { makeFolderSync, writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/** A file as it was trusted. */
export interface TrustedFile {
  /** Its path without links. */
  readonly path: string;
  /** Of its content, in hex. */
  readonly sha256: string;
}

const trustSchema: z.ZodType<{ readonly files: readonly TrustedFile[] }> = z.strictObject({
  format: z.literal(1),
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** Where the trusted files are remembered. Never below the present folder, whatever the environment says of it. */
export function trustFile(env: Environment): string {
  const { XDG_CONFIG_HOME: config = "", HOME: home = "" } = env;
  const base = config.startsWith("/") ? config : join(home.startsWith("/") ? home : homedir(), ".config");
  return join(base, "strongroom", "trusted.json");
}

/** Whether a file with this content was trusted. Throws `config-unreadable`, `file-permissions` of the list of them. */
export function isTrusted(path: string, content: Uint8Array, env: Environment): boolean {
  const real = realpathSync(path);
  return readTrusted(env).some((one) => one.path === real && one.sha256 === hashOf(content));
}

/** Trusts a file as it is now; what was trusted of the same path before is forgotten. */
export async function trust(path: string, content: Uint8Array, env: Environment): Promise<TrustedFile> {
  const trusted = { path: realpathSync(path), sha256: hashOf(content) };
  await writeTrusted([...readTrusted(env).filter((one) => one.path !== trusted.path), trusted], env);
  return trusted;
}

/** Forgets a path, also of a file that is gone. Gives whether it was trusted. */
export async function forget(path: string, env: Environment): Promise<boolean> {
  const names = new Set([resolve(path), realOf(path)]);
  const before = readTrusted(env);
  const after = before.filter((one) => !names.has(one.path));
  if (after.length < before.length) await writeTrusted(after, env);
  return after.length < before.length;
}

function readTrusted(env: Environment): readonly TrustedFile[] {
  const path = trustFile(env);
  const text = readAuthorityIfPresent(path, "public");
  if (text === null) return [];
  try {
    return trustSchema.parse(JSON.parse(text)).files;
  } catch (cause) {
    throw new CliError("config-unreadable", {
      detail: `${path} is damaged.`,
      remedy: "Remove it, and trust again what you trust: strongroom trust FILE.",
      cause,
    });
  }
}

async function writeTrusted(files: readonly TrustedFile[], env: Environment): Promise<void> {
  const path = trustFile(env);
  makeFolderSync(join(path, ".."));
  await writeFileAtomic(path, `${JSON.stringify({ format: 1, files }, null, 2)}\n`);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function hashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
