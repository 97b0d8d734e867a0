// Copies of files, whole and private: of databases at one moment while others write to them; their sizes and hashes.
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, rmSync } from "node:fs";
import { copyFile, open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { createEmptyFileSync, systemReason } from "@strongroom/base/files";
import { CliError } from "../errors.ts";
import { withoutTags } from "./without-tags.ts";

/** All pages at once: in more steps it begins anew at a write of another process, and beside a busy one never ends. */
const ALL_PAGES = 2 ** 31 - 1;
const BUSY_MS = 10_000;

/**
 * Copies a database of SQLite as it is at one moment, while others write to it, into a new file.
 *
 * @throws CliError `copy-failed`
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  try {
    createEmptyFileSync(to);
    const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
    try {
      await backup(source, to, { rate: ALL_PAGES });
    } finally {
      source.close();
    }
  } catch (cause) {
    throw copyFailed(from, to, cause);
  }
}

/**
 * Makes a copy one file without a log beside it, and looks whether it is whole.
 *
 * @throws CliError `copy-failed`: it is damaged, as the original is or the target's disk made it
 */
export function settleDatabase(path: string): void {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    const { journal_mode: mode } = database.prepare("pragma journal_mode = delete").get() as { journal_mode?: unknown };
    if (mode !== "delete") throw new Error("something still has it open");
    const { integrity_check: found } = database.prepare("pragma integrity_check(1)").get() as {
      integrity_check?: unknown;
    };
    if (found !== "ok") throw new Error("it is damaged");
  } catch (cause) {
    throw copyFailed(path, path, cause);
  } finally {
    database?.close();
  }
  // Empty by now.
  for (const name of readdirSync(dirname(path)))
    if (name === `${basename(path)}-wal` || name === `${basename(path)}-shm`) rmSync(join(dirname(path), name));
}

/** Takes what no backup has out of a copy of the records. @throws CliError `copy-failed` */
export function removeTags(path: string): void {
  try {
    withoutTags(path);
  } catch (cause) {
    throw copyFailed(path, path, cause);
  }
}

/** Copies a file that nobody writes to, on the disk on return. @throws CliError `copy-failed` */
export async function copyWhole(from: string, to: string): Promise<void> {
  try {
    createEmptyFileSync(to);
    await copyFile(from, to);
    await flushFile(to);
  } catch (cause) {
    throw copyFailed(from, to, cause);
  }
}

async function flushFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Size and SHA-256 (hex) of a file. Throws the system's error. */
export async function measureFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

function copyFailed(from: string, to: string, cause: unknown): CliError {
  const reason = "errstr" in Object(cause) ? String((cause as { errstr: unknown }).errstr) : systemReason(cause);
  return new CliError("copy-failed", {
    detail: from === to ? `${to}: ${reason}.` : `${from} could not be copied to ${to}: ${reason}.`,
    cause,
  });
}
