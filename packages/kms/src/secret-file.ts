// Reading files that only their owner may read: the root key, the credentials, a passphrase.

import { readSecretFileSync } from "@strongroom/base/files";
import { KmsError } from "./errors.ts";

/** Reads a file that only its owner may read. @throws KmsError `file-permissions`; the system's error. */
export function readSecretFile(path: string): Buffer {
  try {
    return readSecretFileSync(path);
  } catch (cause) {
    // Threat: another user of the machine reads the key pair or the root key.
    if ((cause as { code?: unknown }).code === "file-permissions")
      throw new KmsError("file-permissions", `${path} is readable by others than its owner.`, { cause });
    throw cause;
  }
}
