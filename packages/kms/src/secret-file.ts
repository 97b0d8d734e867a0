// Reading the KMS's secret files: the root key, the credentials, a passphrase, principals.

import { requireOwnFolder, requireUnchangeable } from "@strongroom/base/authority";
import { isFilePermissions, readSecretFileSync } from "@strongroom/base/secret-file";
import type { FilePermissionsError, SecretFileOptions } from "@strongroom/base/secret-file";
import { KmsError } from "./errors.ts";

/** What a secret file may be, and what a person can do about it beside closing it. */
export interface SecretFileRule extends SecretFileOptions {
  /** Another way out, as a part of a sentence. */
  readonly otherwise?: string;
}

/**
 * Reads a file that nobody but its owner gets to, by its mode or by that of a folder above it, and that nobody else may
 * change.
 * @throws KmsError `file-permissions`; the system's error.
 */
export function readSecretFile(path: string, { otherwise, ...options }: SecretFileRule = {}): Buffer {
  try {
    requireUnchangeable(path);
    return readSecretFileSync(path, options);
  } catch (cause) {
    // Threat: another user of the machine reads the key pair or the root key, or puts one of their own there.
    if (!isFilePermissions(cause)) throw cause;
    const closed = otherwise === undefined ? null : `Restrict the file to its owner: chmod 600 FILE; or ${otherwise}.`;
    throw openToOthers(cause, cause.remedy === null ? closed : `${cause.remedy}.`);
  }
}

/**
 * Refuses a data directory in which others may change a file, or have put a link where one is written.
 * @throws KmsError `file-permissions`.
 */
export function requireOwnDataDir(dataDir: string): void {
  try {
    requireOwnFolder(dataDir, WRITTEN);
  } catch (cause) {
    if (!isFilePermissions(cause)) throw cause;
    throw openToOthers(cause, `${cause.remedy ?? ""}.`);
  }
}

/** What is written in a data directory, by name. */
const WRITTEN: ReadonlySet<string> = new Set([
  "kms.sqlite",
  "kms.sqlite-wal",
  "kms.sqlite-shm",
  "kms.sqlite.reserve",
  "kms.lock",
  "root.key",
  "credentials.json",
  "service-credentials.json",
  "operator-credentials.json",
  "tls-certificate.pem",
  "tls-key.pem",
  "control.header",
]);

function openToOthers({ path, reason }: FilePermissionsError, remedy: string | null): KmsError {
  return new KmsError("file-permissions", `${path}: ${reason}.`, remedy === null ? {} : { remedy });
}
