// Errors of running the server itself (starting it, opening its data). What a client of the KMS API
// gets to see is another matter: protocol/aws-error.ts.

import type { ErrorRow, ErrorTable } from "@strongroom/base/errors";

/** The closed union of codes. */
export type KmsErrorCode =
  | "option-invalid"
  | "data-dir-in-use"
  | "data-dir-of-installation"
  | "data-dir-unusable"
  | "data-dir-of-emulator"
  | "data-dir-not-of-emulator"
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
  | "socket-dir-unusable"
  | "tls-unusable"
  | "region-unknown"
  | "key-unknown"
  | "audit-broken"
  | "audit-set-back"
  | "backup-failed"
  | "would-overwrite";

/** Every code a `KmsError` can carry: what it means, what a person can do about it, and how it ends a command. */
export const KMS_ERRORS: ErrorTable<KmsErrorCode> = {
  "option-invalid": {
    title: "An option of the KMS is not valid",
    remedy: "Correct the option that the message names.",
    outcome: "usage",
    status: 400,
  },
  "data-dir-in-use": {
    title: "Another KMS process uses this data directory",
    remedy: "Stop the other process, or start this one with a data directory of its own.",
    outcome: "usage",
    status: 409,
  },
  "data-dir-of-installation": {
    title: "This is the data folder of an installation",
    remedy: "Give the KMS's own folder, which lies in it: --data-dir DIR/kms.",
    outcome: "usage",
    status: 400,
  },
  "data-dir-unusable": {
    title: "The data directory cannot be used",
    remedy: "Choose a directory that you own and may write to (--data-dir DIR), or correct its owner and permissions.",
    outcome: "usage",
    status: 500,
  },
  "data-dir-of-emulator": {
    title: "The data directory was made by the emulator, whose keys were open to every program",
    remedy: "Choose another data directory, or serve this one with --emulator.",
    outcome: "refused",
    status: 409,
  },
  "data-dir-not-of-emulator": {
    title: "The data directory was not made by the emulator, which never opens a server's keys",
    remedy: "Leave out --data-dir (the emulator then takes a temporary folder), or name one that does not exist yet.",
    outcome: "refused",
    status: 409,
  },
  "file-permissions": {
    title: "A secret file can be read or changed by others",
    remedy: "Restrict the file to its owner (chmod 600 FILE), or the folder that it lies in (chmod 700 FOLDER).",
    outcome: "usage",
    status: 500,
  },
  "root-key-missing": {
    title: "The database exists, but the root key that seals it does not",
    remedy: "Restore the root key file from its backup. Nothing can be opened without it.",
    outcome: "usage",
    status: 500,
  },
  "root-key-wrong": {
    title: "The root key does not open this database",
    remedy: "Give the root key file or the passphrase that this data directory was made with.",
    outcome: "usage",
    status: 500,
  },
  "root-key-malformed": {
    title: "The root key is not 32 bytes in hexadecimal",
    remedy: "Restore the root key file from its backup.",
    outcome: "usage",
    status: 500,
  },
  "store-absent": {
    title: "There is no database in this data directory",
    remedy: "Name the data directory that the server uses.",
    outcome: "absent",
    status: 404,
  },
  "store-newer": {
    title: "The database was made by a newer version",
    remedy: "Use the version of Strongroom that wrote it, or a later one.",
    outcome: "usage",
    status: 500,
  },
  "store-corrupt": {
    title: "The database does not hold what it should",
    remedy: "Restore the data directory from a backup.",
    outcome: "refused",
    status: 500,
  },
  "store-failed": {
    title: "The database could not be read or written",
    remedy: "Check that the disk has room and that the data directory is writable.",
    outcome: "failure",
    status: 500,
  },
  "credentials-malformed": {
    title: "The credentials or principals file is not valid",
    remedy: "Correct the file as the message says, or remove credentials.json to have a new pair made.",
    outcome: "usage",
    status: 500,
  },
  "seed-malformed": {
    title: "The seed file is not valid",
    remedy: "Correct the lines that the message names.",
    outcome: "usage",
    status: 400,
  },
  "seed-conflict": {
    title: "The seed differs from keys that exist already",
    remedy: "Seed a new data directory, or give the keys that the message names other ids.",
    outcome: "conflict",
    status: 409,
  },
  "port-in-use": {
    title: "A port is already in use",
    remedy: "Stop what listens there, or give the region another port (0 takes a free one).",
    outcome: "usage",
    status: 409,
  },
  "socket-dir-unusable": {
    title: "The folder of the regions' sockets cannot be used",
    remedy: "Name a folder of your own with a short path: --socket-dir DIR.",
    outcome: "usage",
    status: 500,
  },
  "tls-unusable": {
    title: "The certificate or its private key cannot be used",
    remedy:
      "Give both as PEM files, --tls-cert-file FILE --tls-key-file FILE; or, if the server's own are lost, remove " +
      "tls-certificate.pem to have others made, and give clients the new fingerprint.",
    outcome: "usage",
    status: 500,
  },
  "region-unknown": {
    title: "This server has no such region",
    remedy: "Use one of the regions it was started with.",
    outcome: "absent",
    status: 404,
  },
  "key-unknown": {
    title: "There is no such key",
    remedy: "Give the id, the ARN or an alias of a key that is there.",
    outcome: "absent",
    status: 404,
  },
  "audit-broken": {
    title: "The audit does not verify",
    remedy:
      "Keep a copy of the data folder as evidence and restore a backup; or go on with what is there, on record for " +
      "ever: serve --accept-restore REASON.",
    outcome: "refused",
    status: 500,
  },
  "audit-set-back": {
    title: "The audit log does not go on from what its witness saw",
    remedy:
      "The database was set back, or exchanged. Bring the newest one back; or, after a restore that was meant, go on " +
      "with it, on record for ever: serve --accept-restore REASON.",
    outcome: "refused",
    status: 500,
  },
  "backup-failed": {
    title: "The backup could not be made or restored",
    remedy: "Correct what the message names.",
    outcome: "failure",
    status: 500,
  },
  "would-overwrite": {
    title: "There is something already where this would be written",
    remedy: "Name another place; a restore can set the present database aside (--set-aside).",
    outcome: "conflict",
    status: 409,
  },
};

/** What a {@link KmsError} may carry beside its code and detail. */
export interface KmsErrorOptions extends ErrorOptions {
  /** One entry per problem, where there are several. */
  readonly problems?: readonly string[];
  /** Replaces the table's remedy where the case allows a better one. */
  readonly remedy?: string;
}

/**
 * A failure of the server itself. Never carries key material, a passphrase or a context's values.
 *
 * @example
 * ```ts
 * import { KMS_ERRORS, KmsError } from "@strongroom/kms";
 *
 * const error = new KmsError("region-unknown", "eu-west-9 does not run");
 * console.log(error.code, KMS_ERRORS[error.code].outcome); // prints: region-unknown absent
 * ```
 */
export class KmsError extends Error {
  override readonly name: string = "KmsError";
  readonly code: KmsErrorCode;
  readonly row: ErrorRow;
  /** What happened in this case. */
  readonly detail: string;
  readonly problems: readonly string[];

  constructor(code: KmsErrorCode, detail: string, { problems = [], remedy, ...options }: KmsErrorOptions = {}) {
    const row = KMS_ERRORS[code];
    super(`${row.title}: ${[detail, ...problems].join(" ")}`, options);
    this.code = code;
    this.row = remedy === undefined ? row : { ...row, remedy };
    this.detail = detail;
    this.problems = problems;
  }
}
