/**
 * What SQLite answers as the store's errors, and those errors as what goes from one thread to another.
 */
import { SqliteFileError, sqliteFailure } from "@strongroom/base/sqlite";
import type { SqliteFailure } from "@strongroom/base/sqlite";
import { isVaultError, VaultError } from "../../errors.ts";
import type { VaultErrorCode } from "../../errors.ts";

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

/** A database of an earlier version is not a newer one, although it has migrations that this version does not name. */
export function openingFailure(error: unknown, title: string = "a Strongroom vault"): VaultError {
  if (sqliteFailure(error) === "foreign")
    return new VaultError("store-failed", `The file is a SQLite database, but not ${title}`, { cause: error });
  if (error instanceof SqliteFileError && error.code === "newer" && error.message.includes("0001-records"))
    return new VaultError(
      "store-failed",
      "The database is one of an earlier version: open a new file, with this one as `moveFrom`",
      { cause: error },
    );
  return storeFailure(error);
}

/** A failed commit of which nothing is known: the disk has it or not. */
export function commitFailure(error: unknown): unknown {
  if (sqliteFailure(error) !== "io") return error;
  return new VaultError("outcome-unknown", "The disk failed while the write was committed", { cause: error });
}

/** An error as a thread sends it. */
export interface SentFailure extends Meaning {
  readonly cause: string | null;
}

export function sentFailure(error: unknown): SentFailure {
  const { code, message, cause } = storeFailure(error);
  return { code, message, cause: cause instanceof Error ? cause.message : null };
}

export function receivedFailure({ code, message, cause }: SentFailure): VaultError {
  return new VaultError(code, message, cause === null ? {} : { cause: new Error(cause) });
}
