// Opening kms.sqlite: one file for all regions, private to its owner, durable before anything is acknowledged.

import { chmodSync, closeSync, existsSync, fdatasync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kysely, SqliteDialect } from "kysely";
import { KmsError } from "../errors.ts";
import { kyselyDatabase } from "./node-sqlite.ts";
import { migrate } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** Names of the files in the data directory. */
export const DATABASE_FILE = "kms.sqlite";
const LOCK_FILE = "kms.lock";

/**
 * WAL with NORMAL: SQLite does not wait for the disk at each commit; whoever acknowledges one waits for `syncLog`,
 * which leaves the server free to work meanwhile. secure_delete: destroyed material is overwritten.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA busy_timeout = 5000;
`;

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
    const raw = openFile(join(dataDir, DATABASE_FILE));
    const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: kyselyDatabase(raw) }) });
    try {
      await migrate(db);
    } catch (error) {
      await db.destroy();
      throw error;
    }
    // SQLite keeps this file as long as its connection is open: emptied, but never replaced.
    const log = openSync(join(dataDir, `${DATABASE_FILE}-wal`), "r+");
    return {
      db,
      syncLog: () => sync(log),
      truncateLog: () => {
        raw.exec("PRAGMA wal_checkpoint(TRUNCATE)");
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

function openFile(path: string): DatabaseSync {
  try {
    if (!existsSync(path)) closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
    const raw = new DatabaseSync(path);
    raw.exec(PRAGMAS);
    return raw;
  } catch (error) {
    throw new KmsError("store-failed", `${path} could not be opened.`, { cause: error });
  }
}

/**
 * Takes a data directory for this process alone and gives what lets go of it.
 * The server keeps its keys' state in memory, so two processes on one directory would undo each other's work.
 * The lock is a transaction held open on a file of its own: the operating system frees it when the process dies.
 * @throws KmsError `data-dir-in-use`, `store-failed`.
 */
export function lockDataDir(dataDir: string): () => void {
  const path = join(dataDir, LOCK_FILE);
  let lock: DatabaseSync;
  try {
    lock = new DatabaseSync(path);
    chmodSync(path, 0o600);
  } catch (error) {
    throw new KmsError("store-failed", `${path} could not be opened.`, { cause: error });
  }
  try {
    lock.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw new KmsError("data-dir-in-use", `${path} is locked.`, { cause: error });
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}
