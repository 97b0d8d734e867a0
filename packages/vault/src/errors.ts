/**
 * What can go wrong in the vault, as one closed table, and the one error class that carries it. docs/errors.md is held
 * to this table. Messages never hold a document, a key, or a context's values.
 */
import type { ErrorTable } from "@strongroom/base/errors";
import { AUDIT_ERRORS } from "./audit-errors.ts";
import type { AuditErrorCode } from "./audit-errors.ts";
import { ERASURE_ERRORS } from "./erasure-errors.ts";
import type { ErasureErrorCode } from "./erasure-errors.ts";
import { RUN_ERRORS } from "./run-errors.ts";
import type { RunErrorCode } from "./run-errors.ts";
import { PEOPLE_ERRORS } from "./people-errors.ts";
import type { PeopleErrorCode } from "./people-errors.ts";
import { ROLES_ERRORS } from "./roles-errors.ts";
import type { RolesErrorCode } from "./roles-errors.ts";
import { SEARCH_ERRORS } from "./search-errors.ts";
import type { SearchErrorCode } from "./search-errors.ts";

/** A code of {@link VAULT_ERRORS}. */
export type VaultErrorCode =
  | PeopleErrorCode
  | AuditErrorCode
  | ErasureErrorCode
  | RolesErrorCode
  | SearchErrorCode
  | "record-absent"
  | "version-absent"
  | "collection-absent"
  | "version-conflict"
  | "record-contended"
  | "record-moved"
  | "record-moved-collection"
  | "record-moved-subject"
  | "record-rolled-back"
  | "record-tampered"
  | "key-not-configured"
  | "regions-unavailable"
  | "wraps-below-minimum"
  | "wraps-still-missing"
  | "wraps-would-be-lost"
  | "deadline-exceeded"
  | "keyring-overloaded"
  | "aborted"
  | "encryption-failed"
  | "id-invalid"
  | "collection-invalid"
  | "subject-invalid"
  | "version-invalid"
  | "cursor-invalid"
  | "limit-invalid"
  | "vault-option-invalid"
  | "document-invalid"
  | "document-unfit"
  | "stored-document-invalid"
  | "document-too-large"
  | "batch-too-large"
  | "key-set-unknown"
  | "key-set-moved"
  | RunErrorCode
  | "transaction-refused"
  | "outcome-unknown"
  | "store-newer"
  | "store-altered"
  | "store-replaced"
  | "store-set-back"
  | "store-full"
  | "store-failed"
  | "store-closed";

/**
 * Code -> what it stands for: what happened, what to do, how it ends a command and a request. What is wrong with stored
 * data has the status 500: it is the store's state, nothing that a client of a service can change.
 */
export const VAULT_ERRORS: ErrorTable<VaultErrorCode> = {
  "record-absent": {
    title: "There is no such record",
    remedy: "Check the collection and the id; list the collection to see what is there.",
    outcome: "absent",
    status: 404,
  },
  "version-absent": {
    title: "The record has no such version",
    remedy: "Read the record's history for the versions that exist.",
    outcome: "absent",
    status: 404,
  },
  "collection-absent": {
    title: "There is no such collection",
    remedy: "A collection comes into being with its first record. List the collections to see which exist.",
    outcome: "absent",
    status: 404,
  },
  "version-conflict": {
    title: "The record is not at the expected version",
    remedy:
      "Someone else wrote in between. Read the record again, apply the change to what is there now, and write with " +
      "its version.",
    outcome: "conflict",
    status: 412,
  },
  "record-contended": {
    title: "Too many writers changed the record at the same time",
    remedy: "Nothing was stored. Retry after a moment.",
    outcome: "conflict",
    status: 409,
  },
  "record-moved": {
    title: "The stored message belongs to another record",
    remedy:
      "The row was moved, copied or swapped in the database. Nothing was released. Restore the row from a trusted " +
      "backup and find out who wrote to the database.",
    outcome: "refused",
    status: 500,
  },
  "record-moved-collection": {
    title: "The stored message belongs to another collection",
    remedy:
      "The row was moved or copied between collections in the database. Nothing was released. Restore it from a " +
      "trusted backup and find out who wrote to the database.",
    outcome: "refused",
    status: 500,
  },
  "record-moved-subject": {
    title: "The stored message is about another subject",
    remedy:
      "The row's subject was changed in the database. Nothing was released. Restore the row from a trusted backup; " +
      "to change a subject, write a new version.",
    outcome: "refused",
    status: 500,
  },
  "record-rolled-back": {
    title: "An older state was put back",
    remedy:
      "The row holds a message of another version, or the record points behind its newest version. Nothing was " +
      "released. Restore the rows from a trusted backup and find out who wrote to the database.",
    outcome: "refused",
    status: 500,
  },
  "record-tampered": {
    title: "The stored message is not authentic",
    remedy:
      "Bytes were changed, cut or replaced. Nothing was released. Restore the row from a trusted backup and check " +
      "the disk and who may write to the database.",
    outcome: "refused",
    status: 500,
  },
  "key-not-configured": {
    title: "No configured key belongs to the stored message",
    remedy:
      "The message is encrypted for keys that are not in the configuration. Configure the keys it was written " +
      "under.",
    outcome: "failure",
    status: 500,
  },
  "regions-unavailable": {
    title: "No region could open the record's data key",
    remedy:
      "Each region's reason is listed. Bring one of them back or restore access to its key; the stored data is " +
      "untouched.",
    outcome: "unavailable",
    status: 503,
  },
  "wraps-below-minimum": {
    title: "Fewer regions than the minimum could wrap the data key",
    remedy: "Nothing was stored. Each region's reason is listed; retry when enough of them are back.",
    outcome: "unavailable",
    status: 503,
  },
  // The next two are of the background repair: no request to a service ends with them.
  "wraps-still-missing": {
    title: "A repair got no wrap from the regions that owe one",
    remedy: "The stored message is as it was and is tried again by itself. If it lasts, look at the regions' health.",
    outcome: "unavailable",
    status: 503,
  },
  "wraps-would-be-lost": {
    title: "A repair would take a wrap away",
    remedy:
      "The stored message is as it was. It is wrapped in a region that is not configured as wanted any more: " +
      "configure that region again, or write the record again to leave it.",
    outcome: "failure",
    status: 500,
  },
  "deadline-exceeded": {
    title: "The regions did not answer in time",
    remedy: "Nothing was stored or released. Retry; if it lasts, look at the regions' health.",
    outcome: "unavailable",
    status: 503,
  },
  "keyring-overloaded": {
    title: "More is asked of the keyring than it can do at once",
    remedy: "Nothing was stored or released, and no region is at fault. Retry after a moment, or ask for less at once.",
    outcome: "unavailable",
    status: 503,
  },
  aborted: {
    title: "The caller gave up",
    remedy: "Nothing to do: the caller's AbortSignal was triggered before anything was stored.",
    outcome: "interrupted",
    // Nobody is there to read it: the status is for the log, as nginx writes it.
    status: 499,
  },
  "encryption-failed": {
    title: "The document could not be encrypted or decrypted",
    remedy: "Nothing was stored or released. The error's cause, or the service's log, says why: check the keyring.",
    outcome: "failure",
    status: 500,
  },
  "id-invalid": {
    title: "The record's id is not allowed",
    remedy:
      "Use 1 to 256 bytes of UTF-8 in normal form C, without control characters, '/' or '\\', and not '.' or '..'.",
    outcome: "usage",
    status: 400,
  },
  "collection-invalid": {
    title: "The collection's name is not allowed",
    remedy: "Use a lower-case letter, then up to 62 lower-case letters, digits, '_' or '-'.",
    outcome: "usage",
    status: 400,
  },
  "subject-invalid": {
    title: "The subject is not allowed",
    remedy:
      "A subject follows the rules of an id: 1 to 256 bytes of UTF-8 in normal form C, without control characters, " +
      "'/' or '\\', and not '.' or '..'.",
    outcome: "usage",
    status: 400,
  },
  "version-invalid": {
    title: "The version number is not allowed",
    remedy: "Versions are whole numbers from 1.",
    outcome: "usage",
    status: 400,
  },
  "cursor-invalid": {
    title: "The cursor is not one that this list gave out",
    remedy: "Pass `next` of the previous page unchanged and for the same collection, or leave it out to start again.",
    outcome: "usage",
    status: 400,
  },
  "limit-invalid": {
    title: "The page size is not allowed",
    remedy: "Ask for a whole number of items from 1 to the limit named in the message.",
    outcome: "usage",
    status: 400,
  },
  "vault-option-invalid": {
    title: "An option is not valid",
    remedy: "The message names each option that is wrong, and what it must be.",
    outcome: "usage",
    status: 500,
  },
  "document-invalid": {
    title: "The document cannot be stored as JSON",
    remedy: "Send one JSON object in UTF-8 whose values JSON can hold exactly. What is not so stands beside the title.",
    outcome: "usage",
    status: 400,
  },
  "document-unfit": {
    title: "The document does not fit what its collection declares",
    remedy: "Nothing was stored. Correct the fields that stand beside the title, each with what it must be.",
    outcome: "usage",
    status: 422,
  },
  "stored-document-invalid": {
    title: "The stored document is not a JSON object",
    remedy:
      "The message is authentic, but something else than a vault encrypted it for this record. Write the document " +
      "again.",
    outcome: "failure",
    status: 500,
  },
  "document-too-large": {
    title: "The document is too large",
    remedy: "Split the document. A program that opens the vault itself can raise its limit `documentBytes`.",
    outcome: "usage",
    status: 413,
  },
  "batch-too-large": {
    title: "The batch has too many items",
    remedy: "Send smaller batches. A program that opens the vault itself can raise its limit `batchItems`.",
    outcome: "usage",
    status: 413,
  },
  ...PEOPLE_ERRORS,
  ...AUDIT_ERRORS,
  ...ERASURE_ERRORS,
  ...ROLES_ERRORS,
  ...SEARCH_ERRORS,
  ...RUN_ERRORS,
  "key-set-unknown": {
    title: "Another key set is in force than this process is configured with",
    remedy:
      "Nothing was stored; reads go on. Give this process the keys that the others have, or put its key set in " +
      "force: strongroom store flip.",
    outcome: "unavailable",
    status: 503,
  },
  "key-set-moved": {
    title: "Another key set came into force after the write was prepared",
    remedy: "Nothing was stored. Prepare the write again.",
    outcome: "conflict",
    status: 409,
  },
  "transaction-refused": {
    title: "The transaction is not one that the vault can write in",
    remedy: "Give a connected client of the store's database, within a transaction that it began.",
    outcome: "usage",
    status: 500,
  },
  "outcome-unknown": {
    title: "The connection was lost while the write was committed, and what became of it cannot be asked now",
    remedy: "The write is stored or it is not: read the record before writing again.",
    outcome: "unavailable",
    status: 503,
  },
  "store-newer": {
    title: "The database was made by a newer version",
    remedy: "Run the version that made it, or a later one. Nothing in the database was changed.",
    outcome: "failure",
    status: 500,
  },
  "store-altered": {
    title: "The database's schema was changed",
    remedy:
      "The message names what differs. Keep a copy, find out who wrote to the database, and restore a backup, or " +
      "drop what does not belong there.",
    outcome: "refused",
    status: 503,
  },
  "store-replaced": {
    title: "The database file was deleted or replaced",
    remedy:
      "Nothing is read or written any more, and nothing was acknowledged since. End the service by SIGTERM: it " +
      "writes what it still holds into the file that it has open. Then find out who replaced the file.",
    outcome: "refused",
    status: 503,
  },
  "store-set-back": {
    title: "The database is not the newest that this vault had",
    remedy:
      "It was emptied, cut, or an older copy was put back. Put the newest copy in its place, with its -wal file. To " +
      "go on with this one, as after the restore of a backup, remove the .mark file beside it and start again.",
    outcome: "refused",
    status: 503,
  },
  "store-full": {
    title: "The disk is full",
    remedy: "Nothing was stored. Free space on the volume that holds the database; no restart is needed.",
    outcome: "failure",
    status: 507,
  },
  "store-failed": {
    title: "The database cannot be used",
    remedy: "The error's cause, or the service's log, says why: check the path, its permissions and the file.",
    outcome: "unavailable",
    status: 503,
  },
  "store-closed": {
    title: "The vault is closed",
    remedy: "Open it again; nothing was stored or released.",
    outcome: "unavailable",
    status: 503,
  },
};

/** What one region said, without its key's ARN. `reason` is one of the envelope's region failure kinds. */
export interface RegionReason {
  readonly region: string;
  readonly reason: string;
}

/** What a {@link VaultError} carries besides its code and its message. */
export interface VaultErrorDetails {
  readonly cause?: unknown;
  readonly regions?: readonly RegionReason[];
  readonly currentVersion?: number | null;
  readonly problems?: readonly FieldProblem[];
}

/** A field of a document that does not fit. Nothing of its value is in it. */
export interface FieldProblem {
  /** `address.lines[0]`; empty: the document itself. */
  readonly field: string;
  /** What it must be, in a word of the schema's library: `required`, `invalid_type`, `email` … */
  readonly kind: string;
}

/** The same symbol in every copy of this package, in every realm of a process. */
const BRAND = Symbol.for("@strongroom/vault/VaultError");

/**
 * Every error that the vault and its stores throw.
 *
 * @example
 * ```ts
 * import { VAULT_ERRORS, VaultError } from "@strongroom/vault";
 *
 * const error = new VaultError("record-absent", "There is no such record");
 * console.log(error.code, VAULT_ERRORS[error.code].status); // prints: record-absent 404
 * ```
 */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  /** What each region said, in the order asked (`regions-unavailable`, `wraps-below-minimum`, `deadline-exceeded`). */
  readonly regions?: readonly RegionReason[];
  /** `version-conflict`: the version the record is at, null when there is no record. */
  readonly currentVersion?: number | null;
  /** `document-unfit`: up to twenty fields that do not fit. */
  readonly problems?: readonly FieldProblem[];

  constructor(code: VaultErrorCode, message: string, details: VaultErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.regions !== undefined) this.regions = details.regions;
    if (details.currentVersion !== undefined) this.currentVersion = details.currentVersion;
    if (details.problems !== undefined) this.problems = details.problems;
  }

  static {
    Object.defineProperty(VaultError.prototype, BRAND, { value: true });
  }
}

/**
 * Whether this is a {@link VaultError} of a code that {@link VAULT_ERRORS} has, also one of another copy of this
 * package, which `instanceof` does not know.
 *
 * @example
 * ```ts
 * import { isVaultError, VaultError } from "@strongroom/vault";
 *
 * console.log(isVaultError(new VaultError("record-absent", "There is no such record"))); // prints: true
 * console.log(isVaultError(new Error("something else"))); // prints: false
 * ```
 */
export function isVaultError(error: unknown): error is VaultError {
  if (typeof error !== "object" || error === null || !(BRAND in error) || !("code" in error)) return false;
  return typeof error.code === "string" && Object.hasOwn(VAULT_ERRORS, error.code);
}
