/**
 * The file of a vault, as this package opens it, and what SQLite answers as the store's errors.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { DiskReserve } from "@strongroom/base/disk-reserve";
import { openSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import type { SqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { Guard, readMarked, requireMarked, requireSchema } from "./guard.ts";
import { Mark, markPath } from "./mark.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import type { VaultSchema } from "./schema.ts";

export interface OpenDatabaseOptions {
  /** How long an operation waits for another process' write lock, in milliseconds. */
  readonly busyTimeoutMs: number;
  /** Largest size of the database file in bytes, rounded down to whole pages; what would exceed it is `store-full`. */
  readonly maxBytes: number;
  /**
   * Keeps a mark beside the file, `PATH.mark`: which vault it is and how many changes it had. A database that has
   * fewer, or is another, is refused with `store-set-back`.
   */
  readonly mark: boolean;
  /**
   * Keeps room on the volume, in the file `PATH.reserve`, so that removing goes on when it is full. Writing ends with
   * `store-full` before that.
   */
  readonly reserve: boolean;
}

/** An open database, and who watches it. */
export interface OpenVaultFile {
  readonly db: Kysely<VaultSchema>;
  readonly guard: Guard;
  /** Null: none is kept. */
  readonly reserve: DiskReserve | null;
  close(): Promise<void>;
}

/** @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed` */
export async function openDatabase(
  path: string,
  { busyTimeoutMs, maxBytes, mark: wanted, reserve }: OpenDatabaseOptions,
): Promise<OpenVaultFile> {
  let mark: Mark | null = null;
  requireFile(path);
  try {
    mark = wanted ? Mark.open(markPath(path)) : null;
    const marked = mark?.found ?? null;
    // Before anything is made in its place.
    if (marked !== null && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) requireMarked(null, marked);
    const { db } = await openSqliteFile<VaultSchema>(
      path,
      {
        applicationId: APPLICATION_ID,
        migrations: MIGRATIONS,
        synchronous: "full",
        // Waiting for another process must not stop this one, which answers everyone else: the store tries again.
        busyTimeoutMs: 0,
        patienceMs: busyTimeoutMs,
        maxBytes,
      },
      async (found) => {
        await requireSchema(found.db, found.applied);
        if (marked !== null) requireMarked(hasCommits(found.applied) ? await readMarked(found.db) : null, marked);
      },
    );
    try {
      const guard = await Guard.over(db, resolve(path), mark);
      const opened = mark;
      const close = async (): Promise<void> => {
        await db.destroy();
        await opened?.close();
      };
      return { db, guard, reserve: reserve ? new DiskReserve(`${resolve(path)}.reserve`) : null, close };
    } catch (error) {
      await db.destroy();
      throw error;
    }
  } catch (error) {
    await mark?.close();
    throw storeFailure(error);
  }
}

/** Whether these migrations are as far as to have the row that a mark is compared with. */
const hasCommits = (applied: readonly string[]): boolean => applied.includes("0003-commits");

/** Names that SQLite takes for no file at all: what was acknowledged would be gone with the process. */
const NO_FILE = /^(?::memory:|file:.*|)$/;

function requireFile(path: string): void {
  if (typeof path !== "string" || NO_FILE.test(path))
    throw new VaultError("store-failed", `The store needs the path of a file, which ${JSON.stringify(path)} is not`);
}

interface Meaning {
  readonly code: VaultErrorCode;
  readonly message: string;
}

const MEANINGS: Readonly<Record<SqliteFailure, Meaning>> = {
  busy: { code: "store-failed", message: "Another process has held the database's write lock for too long" },
  "read-only": {
    code: "store-failed",
    message: "The database cannot be written: check the owner and permissions of the file and its folder",
  },
  io: { code: "store-failed", message: "Reading or writing the database file failed: check the disk" },
  corrupt: { code: "store-failed", message: "The database file is damaged: restore it from a backup" },
  full: { code: "store-full", message: "The volume that holds the database is full" },
  "cannot-open": {
    code: "store-failed",
    message: "The database file cannot be made or opened: check that its folder exists and may be written",
  },
  "not-a-database": { code: "store-failed", message: "The file is not a SQLite database" },
  foreign: { code: "store-failed", message: "The file is a SQLite database, but not a Strongroom vault" },
  newer: { code: "store-newer", message: "The database was made by a newer version" },
  "no-wal": {
    code: "store-failed",
    message: "The volume that holds the database does not support write-ahead logging",
  },
  other: { code: "store-failed", message: "The database could not do what was asked of it" },
};

/** Makes a VaultError of whatever opening or a query threw; a VaultError stays what it is. */
export function storeFailure(error: unknown): VaultError {
  if (isVaultError(error)) return error;
  const failure = sqliteFailure(error);
  const { code, message } = MEANINGS[failure];
  if (failure === "newer" && error instanceof Error)
    return new VaultError(code, `${message}: ${error.message}, which this version does not know`, { cause: error });
  return new VaultError(code, message, { cause: error });
}
