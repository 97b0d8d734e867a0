// A backup: one SQLite file, a consistent picture of one moment, made while the server goes on. Key material in it is
// sealed, so it opens with the root key alone, which is no part of it; nor are the credentials. What a key is
// called, its policy and the audit can be read without the root key.

import { existsSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createEmptyFileSync, publishSync } from "@strongroom/base/files";
import { KmsError } from "../errors.ts";
import { requireDatabase } from "../store/database.ts";
import { contentsOf, openToRead } from "./database-file.ts";
import type { Contents } from "./database-file.ts";

/** What `backup` made. */
export interface BackupReport extends Contents {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes a backup of a data directory to a new file, private to its owner. A server may be at work on it.
 * @throws KmsError `store-absent`, `would-overwrite`, `backup-failed`, `store-corrupt`.
 * @example
 * ```ts
 * import { basename, join } from "node:path";
 * import { backup, createKms } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * const made = await backup({ dataDir: kms.dataDir, to: join(kms.dataDir, "today.backup") });
 * console.log(`${basename(made.path)} holds ${made.keys} keys`); // prints: today.backup holds 0 keys
 * ```
 */
export async function backup({
  dataDir,
  to,
}: {
  readonly dataDir: string;
  readonly to: string;
}): Promise<BackupReport> {
  const from = requireDatabase(dataDir);
  if (existsSync(to)) throw new KmsError("would-overwrite", `${to} exists.`);
  const draft = `${to}.${process.pid}.draft`;
  try {
    copyDatabase(from, draft);
    const contents = await inspect(draft);
    publish(draft, to);
    return { path: to, bytes: statSync(to).size, ...contents };
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Copies a database into a new file, in one read transaction, and without the pages that deleted rows left. */
export function copyDatabase(from: string, to: string): void {
  try {
    // SQLite fills an empty file; made here, it is private from the start.
    createEmptyFileSync(to);
    const source = new DatabaseSync(from, { readOnly: true });
    try {
      source.exec("PRAGMA busy_timeout = 5000");
      source.prepare("VACUUM INTO ?").run(to);
    } finally {
      source.close();
    }
  } catch (cause) {
    throw new KmsError("backup-failed", `${from} could not be copied to ${to}: ${reason(cause)}.`, { cause });
  }
}

async function inspect(path: string): Promise<Contents> {
  const db = openToRead(path);
  try {
    return await contentsOf(db);
  } finally {
    await db.destroy();
  }
}

function publish(draft: string, to: string): void {
  try {
    publishSync(draft, to, "create");
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "EEXIST")
      throw new KmsError("would-overwrite", `${to} exists.`, { cause });
    throw new KmsError("backup-failed", `${to} could not be written: ${reason(cause)}.`, { cause });
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : "unknown");
