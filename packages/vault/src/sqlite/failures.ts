/**
 * SQLite's result codes (sqlite.org/rescode.html) as the store's errors.
 */
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";

interface Meaning {
  readonly code: VaultErrorCode;
  readonly says: string;
}

/** Extended result code, or its lowest byte (the primary code) -> what it means here. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  5: { code: "store-failed", says: "Another process has held the database's write lock for too long" },
  8: {
    code: "store-failed",
    says: "The database can not be written: check the owner and permissions of the file and its folder",
  },
  10: { code: "store-failed", says: "Reading or writing the database file failed: check the disk" },
  11: { code: "store-failed", says: "The database file is damaged: restore it from a backup" },
  13: { code: "store-full", says: "The volume that holds the database is full" },
  14: {
    code: "store-failed",
    says: "The database file can not be opened: check that its folder exists and may be written",
  },
  26: { code: "store-failed", says: "The file is not a SQLite database" },
  // The shared-memory file of the write-ahead log could not grow (SQLITE_IOERR_SHMSIZE).
  4874: { code: "store-full", says: "The volume that holds the database is full" },
};

/** Makes a VaultError of whatever a query threw; a VaultError stays what it is. */
export function storeFailure(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  const result = resultCode(error);
  const meaning = result === null ? undefined : (MEANINGS[result] ?? MEANINGS[result & 0xff]);
  if (meaning !== undefined) return new VaultError(meaning.code, meaning.says, { cause: error });
  return new VaultError("store-failed", "The database could not do what was asked of it", { cause: error });
}

export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === 5;
}

function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode : null;
}
