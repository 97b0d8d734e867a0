// Errors of running the server itself (starting it, opening its data). What a client of the KMS API
// gets to see is another matter: protocol/aws-error.ts.

/** The closed union of codes. */
export type KmsErrorCode =
  | "option-invalid"
  | "data-dir-in-use"
  | "file-permissions"
  | "root-key-missing"
  | "root-key-wrong"
  | "root-key-malformed"
  | "store-absent"
  | "store-newer"
  | "store-corrupt"
  | "store-failed"
  | "credentials-malformed"
  | "seed-malformed"
  | "seed-conflict"
  | "port-in-use"
  | "region-unknown"
  | "key-unknown"
  | "audit-broken"
  | "backup-failed"
  | "would-overwrite";

/** Every code a `KmsError` can carry, with what it means and what a person can do about it. */
export const KMS_ERRORS: Readonly<Record<KmsErrorCode, { readonly title: string; readonly remedy: string }>> = {
  "option-invalid": {
    title: "An option of the KMS is not valid",
    remedy: "Correct the option that the message names.",
  },
  "data-dir-in-use": {
    title: "Another KMS process uses this data directory",
    remedy: "Stop the other process, or start this one with a data directory of its own.",
  },
  "file-permissions": {
    title: "A secret file can be read by others",
    remedy: "Restrict the file to its owner: chmod 600 FILE.",
  },
  "root-key-missing": {
    title: "The database exists, but the root key that seals it does not",
    remedy: "Restore the root key file from its backup. Nothing can be opened without it.",
  },
  "root-key-wrong": {
    title: "The root key does not open this database",
    remedy: "Give the root key file or the passphrase that this data directory was made with.",
  },
  "root-key-malformed": {
    title: "The root key is not 32 bytes in hexadecimal",
    remedy: "Restore the root key file from its backup.",
  },
  "store-absent": {
    title: "There is no database in this data directory",
    remedy: "Name the data directory that the server uses.",
  },
  "store-newer": {
    title: "The database was made by a newer version",
    remedy: "Use the version of Strongroom that wrote it, or a later one.",
  },
  "store-corrupt": {
    title: "The database does not hold what it should",
    remedy: "Restore the data directory from a backup.",
  },
  "store-failed": {
    title: "The database could not be read or written",
    remedy: "Check that the disk has room and that the data directory is writable.",
  },
  "credentials-malformed": {
    title: "The credentials or principals file is not valid",
    remedy: "Correct the file as the message says, or remove credentials.json to have a new pair made.",
  },
  "seed-malformed": { title: "The seed file is not valid", remedy: "Correct the lines that the message names." },
  "seed-conflict": {
    title: "The seed differs from keys that exist already",
    remedy: "Seed a new data directory, or give the keys that the message names other ids.",
  },
  "port-in-use": {
    title: "A port is already in use",
    remedy: "Stop what listens there, or give the region another port (0 takes a free one).",
  },
  "region-unknown": { title: "This server has no such region", remedy: "Use one of the regions it was started with." },
  "key-unknown": { title: "There is no such key", remedy: "Give the id, the ARN or an alias of a key that is there." },
  "audit-broken": {
    title: "The audit chain does not verify",
    remedy: "Treat the entries from the named one on as untrustworthy and compare with a backup.",
  },
  "backup-failed": { title: "The backup could not be made or restored", remedy: "Correct what the message names." },
  "would-overwrite": {
    title: "There is something already where this would be written",
    remedy: "Name another place; a restore can set the present database aside (--set-aside).",
  },
};

/** A failure of the server itself. Never carries key material, a passphrase or a context's values. */
export class KmsError extends Error {
  readonly code: KmsErrorCode;

  constructor(code: KmsErrorCode, detail: string, options?: ErrorOptions) {
    super(`${KMS_ERRORS[code].title}: ${detail}`, options);
    this.name = "KmsError";
    this.code = code;
  }
}
