// Bringing a backup back: it is copied beside the database, verified with the root key, and only then put in its
// place, in one step. A database that is there is never overwritten: at most, when asked, it is set aside.

import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { publishSync } from "@strongroom/base/files";
import { sqliteFailure } from "@strongroom/base/sqlite";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { DATABASE_FILE, lockDataDir } from "../store/database.ts";
import { copyDatabase } from "./backup.ts";
import { verifyFile } from "./verify.ts";
import type { Contents } from "./database-file.ts";

/** What `restore` is asked to do. */
export interface RestoreOptions {
  /** A file that `backup` wrote. */
  readonly from: string;
  readonly dataDir: string;
  /** The root key that the backup was sealed under: the one in use when it was made. */
  readonly rootKey: RootKeySource;
  /** What becomes of a database that is there. */
  readonly existing?: "refuse" | "set-aside";
}

/** What `restore` did. */
export interface RestoreReport extends Contents {
  /** Where the database that was there is now. */
  readonly setAside: string | null;
}

/**
 * Restores a backup into a data directory that no server uses.
 * @throws KmsError `would-overwrite`, `data-dir-in-use`, `root-key-missing`, `root-key-wrong`, `store-corrupt`,
 * `audit-broken`, `backup-failed`.
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { backup, createKms, restore } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * const made = await backup({ dataDir: kms.dataDir, to: join(kms.dataDir, "today.backup") });
 * const rootKey = { kind: "file", path: join(kms.dataDir, "root.key") } as const;
 * const restored = await restore({ from: made.path, dataDir: join(kms.dataDir, "restored"), rootKey });
 * console.log(`${restored.keys} keys are back`); // prints: 0 keys are back
 * ```
 */
export async function restore({ from, dataDir, rootKey, existing = "refuse" }: RestoreOptions): Promise<RestoreReport> {
  if (!existsSync(from)) throw new KmsError("backup-failed", `${from} does not exist.`);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const target = join(dataDir, DATABASE_FILE);
  const draft = `${target}.restoring`;
  const release = lockDataDir(dataDir);
  try {
    if (existing === "refuse" && existsSync(target)) throw new KmsError("would-overwrite", `${target} exists.`);
    rmSync(draft, { force: true });
    copyDatabase(from, draft);
    const contents = await verifyFile(draft, rootKey);
    const setAside = existsSync(target) ? keepAside(target) : null;
    // Replaces in one step: whenever the process dies, the old database or the restored one is there.
    publishSync(draft, target, "replace");
    return { ...contents, setAside };
  } finally {
    rmSync(draft, { force: true });
    release();
  }
}

/**
 * Gives the present database a second name. Its log must not stay: it would be replayed into the restored database.
 * It is folded into its own, or, if SQLite can no longer read that one, kept beside it.
 */
function keepAside(target: string): string {
  const kept = `${target}.until-${new Date().toISOString().replace(/[-:]/g, "")}`;
  const log = `${target}-wal`;
  // A copy, made first: SQLite throws away the log of a database that it does not recognise.
  if (existsSync(log)) copyFileSync(log, `${kept}-wal`);
  if (foldLog(target)) rmSync(`${kept}-wal`, { force: true });
  linkSync(target, kept);
  for (const suffix of ["-wal", "-shm"]) rmSync(target + suffix, { force: true });
  return kept;
}

/** Writes the log into the database; false if the database cannot be read. */
function foldLog(target: string): boolean {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(target);
    database.exec("PRAGMA journal_mode = DELETE");
    return true;
  } catch (cause) {
    if (sqliteFailure(cause) !== "busy") return false;
    throw new KmsError("backup-failed", `${target} is being read: wait until its backup is done.`, { cause });
  } finally {
    database?.close();
  }
}
