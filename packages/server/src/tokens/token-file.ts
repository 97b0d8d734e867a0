/**
 * The tokens file: read and checked as a whole, replaced atomically, 0600, one writer at a time also across processes.
 */
import { stat } from "node:fs/promises";
import { requireUnchangeable } from "@strongroom/base/authority";
import { isAbsent, readIfPresent, writeFileAtomic } from "@strongroom/base/files";
import { waitForLock } from "@strongroom/base/locks";
import type { Lock } from "@strongroom/base/locks";
import { isFilePermissions } from "@strongroom/base/secret-file";
import { z } from "zod";
import { ServerError } from "../errors.ts";
import { SCOPES } from "./token.ts";
import type { TokenIdentity } from "./token.ts";

/** The name of a role. */
export const ROLE_NAME: RegExp = /^[a-z][a-z0-9-]{0,62}$/;

export interface TokenRecord extends TokenIdentity {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

const tokenRecord = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9._:@/+=-]{1,122}$/, "must be 1 to 122 characters of A-Za-z0-9._:@/+=-"),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    roles: z.array(z.string().regex(ROLE_NAME)).optional(),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    createdAt: z.string(),
  })
  .refine(({ scopes, roles = [] }) => scopes.length + roles.length > 0, "has neither a scope nor a role");
const tokensFile = z.strictObject({ version: z.literal(1), tokens: z.array(tokenRecord) });

/** How long to wait for another writer, in milliseconds: writing the file takes a few. */
const LOCK_PATIENCE_MS = 2000;

/**
 * The records of the file; none when there is no file.
 *
 * @throws ServerError `tokens-unreadable`
 */
export async function readTokenFile(path: string): Promise<readonly TokenRecord[]> {
  const text = await readUnchangeable(path);
  if (text === null) return [];
  const parsed = tokensFile.safeParse(parseJson(text));
  if (parsed.success)
    return parsed.data.tokens.map(({ roles, ...token }) => ({ ...token, ...(roles === undefined ? {} : { roles }) }));
  const where = parsed.error.issues
    .map(({ path: at, message }) => `${at.join(".") || "the file"}: ${message}`)
    .join("; ");
  throw new ServerError("tokens-unreadable", `The tokens file is not valid: ${where}`);
}

/** Threat: who can write to the file, or put another in its place, makes tokens. */
async function readUnchangeable(path: string): Promise<string | null> {
  try {
    requireUnchangeable(path);
    return await readIfPresent(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    if (!isFilePermissions(error))
      throw new ServerError("tokens-unreadable", "The tokens file cannot be read", { cause: error });
    const { reason, remedy } = error;
    throw new ServerError(
      "tokens-unreadable",
      `The tokens file ${path} is refused: ${reason}. ${remedy ?? ""}`.trim(),
      { cause: error },
    );
  }
}

/**
 * Replaces the records by what `change` makes of them. Nobody else changes them meanwhile, and a crash leaves either
 * the old file or the new one.
 *
 * @throws ServerError `tokens-unreadable`
 */
export async function changeTokenFile(
  path: string,
  change: (records: readonly TokenRecord[]) => readonly TokenRecord[],
): Promise<void> {
  const lock = await takeLock(`${path}.lock`);
  try {
    const tokens = change(await readTokenFile(path));
    await writeFileAtomic(path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
  } finally {
    lock.release();
  }
}

/** Changes whenever the file is replaced; null when there is none. */
export async function tokenFileStamp(path: string): Promise<string | null> {
  try {
    const { mtimeNs, ino, size } = await stat(path, { bigint: true });
    return `${mtimeNs}.${ino}.${size}`;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw new ServerError("tokens-unreadable", "The tokens file cannot be read", { cause: error });
  }
}

async function takeLock(path: string): Promise<Lock> {
  try {
    return await waitForLock(path, { patienceMs: LOCK_PATIENCE_MS });
  } catch (cause) {
    throw new ServerError("tokens-unreadable", "The tokens file cannot be locked for writing", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
