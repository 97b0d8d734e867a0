// Opening kms.sqlite: one file for all regions, private to its owner, durable before anything is acknowledged.

import { closeSync, existsSync, fdatasync, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isLockHeld, takeLock } from "@strongroom/base/locks";
import { openSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import type { SqliteFile, SqliteFileOptions } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import { requireSchema } from "../integrity/schema-check.ts";
import { MIGRATIONS } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** Names of the files in the data directory. */
export const DATABASE_FILE = "kms.sqlite";
const LOCK_FILE = "kms.lock";

const FILE_OPTIONS: SqliteFileOptions = {
  applicationId: null,
  migrations: MIGRATIONS,
  // SQLite does not wait for the disk at each commit; whoever acknowledges one waits for `syncLog`, which leaves the
  // server free to work meanwhile.
  synchronous: "normal",
  // No other process writes (the lock below); a backup that reads is waited for when the log is emptied.
  busyTimeoutMs: 5000,
  patienceMs: 0,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

const sync = promisify(fdatasync);

/** The database in use, and what must be done to let go of it. */
export interface OpenDatabase {
  readonly db: Kysely<Schema>;
  /** Resolves when everything that is committed is on the disk. */
  syncLog(): Promise<void>;
  /** Copies the log into the database and empties it, so that nothing overwritten lives on in it. */
  truncateLog(): void;
  close(): Promise<void>;
}

/** The path of a data directory's database. @throws KmsError `store-absent` if there is none. */
export function requireDatabase(dataDir: string): string {
  const path = join(dataDir, DATABASE_FILE);
  if (!existsSync(path)) throw new KmsError("store-absent", `${path} does not exist.`);
  return path;
}

/**
 * Opens (or makes) the database of a data directory, for this process alone.
 * @throws KmsError `data-dir-in-use`, `store-newer`, `store-corrupt`, `store-failed`.
 */
export async function openDatabase(dataDir: string): Promise<OpenDatabase> {
  const releaseLock = lockDataDir(dataDir);
  try {
    const { db, database } = await openFile(join(dataDir, DATABASE_FILE));
    await requireSchema(db).catch(async (error: unknown) => {
      await db.destroy();
      throw error;
    });
    // SQLite keeps this file as long as its connection is open: emptied, but never replaced.
    const log = openSync(join(dataDir, `${DATABASE_FILE}-wal`), "r+");
    return {
      db,
      syncLog: () => sync(log),
      truncateLog: () => {
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      },
      close: async () => {
        try {
          closeSync(log);
          await db.destroy();
        } finally {
          releaseLock();
        }
      },
    };
  } catch (error) {
    releaseLock();
    throw error;
  }
}

async function openFile(path: string): Promise<SqliteFile<Schema>> {
  try {
    return await openSqliteFile<Schema>(path, FILE_OPTIONS);
  } catch (cause) {
    const failure = sqliteFailure(cause);
    if (failure === "newer" && cause instanceof Error)
      throw new KmsError("store-newer", `${cause.message}, unknown here.`, { cause });
    if (failure === "foreign") throw new KmsError("store-corrupt", "it has tables, but not those of a KMS.", { cause });
    throw new KmsError("store-failed", `${path} could not be opened.`, { cause });
  }
}

/**
 * Takes a data directory for this process alone and gives what lets go of it.
 * The server keeps its keys' state in memory, so two processes on one directory would undo each other's work.
 * @throws KmsError `data-dir-in-use`, `store-failed`.
 */
export function lockDataDir(dataDir: string): () => void {
  const path = join(dataDir, LOCK_FILE);
  try {
    const lock = takeLock(path);
    return () => {
      lock.release();
    };
  } catch (cause) {
    if (isLockHeld(cause)) throw new KmsError("data-dir-in-use", `${path} is locked.`, { cause });
    throw new KmsError("store-failed", `${path} could not be opened.`, { cause });
  }
}
