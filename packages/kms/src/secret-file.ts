// Reading the KMS's secret files: the root key, the credentials, a passphrase, principals.

import { readSecretFileSync } from "@strongroom/base/secret-file";
import type { SecretFileOptions } from "@strongroom/base/secret-file";
import { KmsError } from "./errors.ts";

/** What a secret file may be, and what a person can do about it beside closing it. */
export interface SecretFileRule extends SecretFileOptions {
  /** Another way out, as a part of a sentence. */
  readonly otherwise?: string;
}

/**
 * Reads a file that nobody but its owner gets to: by its mode, or by that of a folder above it.
 * @throws KmsError `file-permissions`; the system's error.
 */
export function readSecretFile(path: string, { otherwise, ...options }: SecretFileRule = {}): Buffer {
  try {
    return readSecretFileSync(path, options);
  } catch (cause) {
    // Threat: another user of the machine reads the key pair or the root key.
    const { code, reason } = cause as { code?: unknown; reason?: unknown };
    if (code !== "file-permissions") throw cause;
    throw new KmsError("file-permissions", `${path}: ${String(reason)}.`, {
      cause,
      ...(otherwise !== undefined && { remedy: `Restrict the file to its owner: chmod 600 FILE; or ${otherwise}.` }),
    });
  }
}
