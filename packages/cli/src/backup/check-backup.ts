// Whether a backup is as it was made: its manifest is the one that the vault's audit has an entry of, and each file is
// the one that the manifest names. It needs no key and opens no database.
import { readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent, systemReason } from "@strongroom/base/files";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { CommandContext } from "../command.ts";
import { CliError } from "../errors.ts";
import { measureFile } from "./copy-files.ts";
import { cutText, fileText, sizeText } from "./file-text.ts";
import { altered, MANIFEST, MOST_BYTES, type ProvenManifest, provenManifest } from "./manifest.ts";

/** A backup that is as it was made. */
export interface CheckedBackup extends ProvenManifest {
  readonly path: string;
  readonly bytes: number;
  /** Whether the key came from elsewhere: else the backup may be another vault's. */
  readonly isKeyGiven: boolean;
}

/**
 * Checks it.
 *
 * @param key the verifier key of the vault's audit, kept elsewhere; null: the one that the backup itself has
 * @throws CliError `backup-altered`, `input-unreadable`
 */
export async function checkBackup(path: string, key: string | null, context: CommandContext): Promise<CheckedBackup> {
  const names = namesIn(path);
  const proven = provenManifest(
    await readOwn(path, "file", names),
    await readOwn(path, "proof", names),
    key === null ? null : key.trim(),
  );
  const { files } = proven.manifest;
  const known = new Set<string>([...Object.values(MANIFEST), ...files.map(({ name }) => name)]);
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw altered(`it has files that are none of its own: ${unknown.slice(0, 10).join(", ")}`);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const bar = startProgress(context.terminal, { label: "checking", total });
  let done = 0;
  try {
    for (const { name, bytes, sha256 } of files) {
      const found = await measured(join(path, name), context.signal);
      if (found === null) throw altered(`${name} is not in it`);
      if (found.bytes !== bytes || found.sha256 !== sha256)
        throw altered(`${name} is not the file that was copied: it was changed, or is of another backup`);
      done += bytes;
      bar.update(done, done);
    }
  } finally {
    bar.stop();
  }
  return { ...proven, path, bytes: total, isKeyGiven: key !== null };
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    throw new CliError("input-unreadable", {
      detail: `${path}, the folder of the backup: ${systemReason(cause)}.`,
      remedy: "Name the folder that strongroom backup made.",
      cause,
    });
  }
}

async function readOwn(path: string, which: keyof typeof MANIFEST, names: readonly string[]): Promise<string> {
  const name = MANIFEST[which];
  if (!names.includes(name)) throw altered(`${path} has no ${name}: it is no backup, or half of one`);
  const file = await open(join(path, name), "r");
  try {
    if ((await file.stat()).size > MOST_BYTES[which]) throw altered(`${name} is too long`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function measured(path: string, signal: AbortSignal): Promise<Awaited<ReturnType<typeof measureFile>> | null> {
  try {
    // A pipe would be waited for.
    if (!statSync(path).isFile()) return null;
    return await measureFile(path, signal);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** For a person. */
export function checkedView({ path, manifest, bytes, key, isKeyGiven }: CheckedBackup): string {
  return [
    `${path}: as it was made, ${sizeText(bytes)}, of the vault ${manifest.vault}`,
    ...manifest.files.map((file) => `  ${fileText(file)}`),
    cutText(manifest),
    isKeyGiven
      ? "It is signed by the key that was given."
      : `It is signed by ${key}. Whether that is your vault's, --key tells, or a restore, which opens it.`,
  ].join("\n");
}
