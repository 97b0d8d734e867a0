/**
 * What PostgreSQL and its driver answer, as the store's errors. A server's text may hold what is in a row: it is cut
 * and escaped, its detail is left out, and it is the cause and never the message.
 */
import { shown } from "@strongroom/base/shown";
import { isVaultError, VaultError } from "../../errors.ts";
import type { VaultErrorCode } from "../../errors.ts";

interface Meaning {
  readonly code: VaultErrorCode;
  readonly message: string;
}

const failed = (message: string): Meaning => ({ code: "store-failed", message });

const NOT_MIGRATED =
  "The database has no vault in this schema, or lacks a migration: run `strongroom store migrate`, or migratePostgres";

/** SQLSTATE, or the class that it begins with -> what it means. The longest that fits counts. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  "08": failed("The connection to the database failed"),
  "0A": failed("The database does not support what was asked of it: check that it is PostgreSQL 14 or later"),
  "22": failed("The database did not take a value"),
  "23505": failed("The database has such a row already: what is to be added is in it, or its rows were changed"),
  "23": failed("The database refused a row: the schema is not the one that this version makes"),
  "25006": failed("The server takes no writes: it is a standby, or its transactions are read-only by default"),
  "25P02": { code: "transaction-refused", message: "The caller's transaction has failed before: roll it back" },
  "25P03": failed("The database ended a transaction that stood idle"),
  "28": failed("The database refused the user or the password"),
  "3D": failed("There is no such database"),
  "3F000": failed(NOT_MIGRATED),
  "40001": failed("Other writers kept coming in between"),
  "40P01": failed("Other writers kept waiting for each other"),
  "42501": failed("The database's user lacks a right that the store needs: grant it with migratePostgres"),
  "42703": failed(NOT_MIGRATED),
  "42704": failed(NOT_MIGRATED),
  "42883": failed(NOT_MIGRATED),
  "42P01": failed(NOT_MIGRATED),
  "53100": { code: "store-full", message: "The volume that holds the database is full" },
  "53200": failed("The database server is out of memory"),
  "53300": failed("The database has no connection left"),
  "53": failed("The database server lacks a resource"),
  "54": failed("A value is beyond the database's limits"),
  "55P03": failed("Another transaction has held what is needed for too long"),
  "57014": failed("The database took too long, and gave up"),
  "57P": failed("The database server is shutting down or starting"),
  "58": failed("The database server could not read or write a file: check its disk"),
  XX: failed("The database server found its data damaged, or failed inside: check its log and its disk"),
};

const OTHER = failed("The database could not do what was asked of it");

/** The SQLSTATE of what a driver threw; null: no answer of a server's. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error) || !("severity" in error)) return null;
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** Whether the server ended the connection with it: what was under way may be committed or not. */
export const isFatal = (error: unknown): boolean =>
  sqlState(error) === null || /^(?:FATAL|PANIC)$/.test(String((error as { severity: unknown }).severity));

/** Rolled back by the server, for no fault of ours: done again, it may well be made. */
export const isContention = (error: unknown): boolean => ["40001", "40P01"].includes(sqlState(error) ?? "");

/** A named statement that this session has not, or has already: a pooler gave us another session. */
export const isForeignSession = (error: unknown): boolean => ["26000", "42P05"].includes(sqlState(error) ?? "");

/** Makes a VaultError of whatever a query or a connection threw; a VaultError stays what it is. */
export function storeFailure(error: unknown): VaultError {
  if (isVaultError(error)) return error;
  const state = sqlState(error);
  if (state === null)
    return new VaultError("store-failed", "The connection to the database failed or was lost", { cause: told(error) });
  const { code, message } = MEANINGS[state] ?? MEANINGS[state.slice(0, 3)] ?? MEANINGS[state.slice(0, 2)] ?? OTHER;
  return new VaultError(code, message, { cause: told(error) });
}

/** The answer to a commit was lost. */
export function outcomeUnknown(error: unknown): VaultError {
  return new VaultError("outcome-unknown", "The connection was lost while the write was committed", {
    cause: told(error),
  });
}

/** What is kept of a driver's error: no detail, no statement and no parameter, in which a row could be. */
function told(error: unknown): Error {
  const state = sqlState(error);
  const found = error instanceof Error ? error.message : String(error);
  const code = typeof error === "object" && error !== null && "code" in error ? `${shown(String(error.code))}: ` : "";
  return new Error(state === null ? `${code}${shown(found)}` : `SQLSTATE ${state}: ${shown(found)}`);
}
