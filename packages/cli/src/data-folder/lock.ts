// One `strongroom up` per data folder. The lock is one that the operating system drops when the process ends, however
// it ends (an exclusive transaction of an empty SQLite file), so that a killed process never leaves a stale lock
// behind.
import { DatabaseSync } from "node:sqlite";
import { CliError } from "../errors.ts";

/** A held lock. */
export interface FolderLock {
  release(): void;
}

/** Takes the lock, or throws `data-dir-in-use`. */
export function lockDataFolder(path: string, folder: string): FolderLock {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 300; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    const busy = cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY;
    if (!busy)
      throw new CliError("data-dir-unusable", { detail: `${folder}: the lock file can not be locked.`, cause });
    throw new CliError("data-dir-in-use", { detail: folder, cause });
  }
  return {
    release: () => {
      database.close();
    },
  };
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
