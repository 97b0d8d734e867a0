// Files that only their owner may read: the root key, the credentials.

import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { KmsError } from "./errors.ts";

/** Reads a file that only its owner may read. @throws KmsError `file-permissions`. */
export function readSecretFile(path: string): Buffer {
  // Threat: another user of the machine reads the key pair or the root key.
  if ((statSync(path).mode & 0o077) !== 0) throw new KmsError("file-permissions", `${path} is readable by others than its owner.`);
  return readFileSync(path);
}

/** Writes a new file that only its owner may read, and waits until it is on the disk. */
export function writeSecretFile(path: string, content: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Whether an error of node:fs says that the file is not there. */
export const isAbsent = (error: unknown): boolean => (error as { code?: unknown }).code === "ENOENT";
