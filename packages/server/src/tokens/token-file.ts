/**
 * The tokens file: read and checked as a whole, replaced atomically, 0600, one writer at a time also across processes.
 */
import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { ServerError } from "../errors.ts";
import { SCOPES } from "./token.ts";
import type { TokenIdentity } from "./token.ts";

export interface TokenRecord extends TokenIdentity {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

const tokenRecord = z.strictObject({
  id: z.string().min(1),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)).min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
});
const tokensFile = z.strictObject({ version: z.literal(1), tokens: z.array(tokenRecord) });

const LOCK_ATTEMPTS = 100;
const LOCK_RETRY_MS = 20;
/** A lock this old was left by a process that died: writing the file takes milliseconds. */
const LOCK_STALE_MS = 10_000;

/**
 * The records of the file; none when there is no file.
 *
 * @throws ServerError `tokens-unreadable`
 */
export async function readTokenFile(path: string): Promise<readonly TokenRecord[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return null;
    throw new ServerError("tokens-unreadable", "The tokens file can not be read", { cause: error });
  });
  if (text === null) return [];
  const parsed = tokensFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.tokens;
  const where = parsed.error.issues
    .map(({ path: at, message }) => `${at.join(".") || "the file"}: ${message}`)
    .join("; ");
  throw new ServerError("tokens-unreadable", `The tokens file is not valid: ${where}`);
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
  const lock = `${path}.lock`;
  await takeLock(lock);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const tokens = change(await readTokenFile(path));
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
    await rm(lock, { force: true });
  }
}

/** Changes whenever the file is replaced; null when there is none. */
export async function tokenFileStamp(path: string): Promise<string | null> {
  try {
    const { mtimeNs, ino, size } = await stat(path, { bigint: true });
    return `${mtimeNs}.${ino}.${size}`;
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    throw new ServerError("tokens-unreadable", "The tokens file can not be read", { cause: error });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await (await open(lock, "wx", 0o600)).close();
      return;
    } catch (error) {
      if (!isCode(error, "EEXIST") || attempt === LOCK_ATTEMPTS) {
        throw new ServerError("tokens-unreadable", "The tokens file can not be locked for writing", { cause: error });
      }
      const held = await stat(lock).catch(() => null);
      if (held !== null && Date.now() - held.mtimeMs > LOCK_STALE_MS) await rm(lock, { force: true });
      await delay(LOCK_RETRY_MS);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
