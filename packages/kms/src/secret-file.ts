// Files that only their owner may read: the root key, the credentials.

import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { KmsError } from "./errors.ts";

/** Reads a file that only its owner may read. @throws KmsError `file-permissions`. */
export function readSecretFile(path: string): Buffer {
  // Threat: another user of the machine reads the key pair or the root key.
  if ((statSync(path).mode & 0o077) !== 0)
    throw new KmsError("file-permissions", `${path} is readable by others than its owner.`);
  return readFileSync(path);
}

/** Writes a new file that only its owner may read. It appears whole or not at all, and is on the disk on return. */
export function writeSecretFile(path: string, content: string): void {
  const draft = `${path}.${process.pid}.draft`;
  const file = openSync(draft, "w", 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    // Not a rename: a file that is there already is never replaced.
    linkSync(draft, path);
  } finally {
    rmSync(draft);
  }
  syncDirectory(dirname(path));
}

/** Waits until the names in a directory are on the disk. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Whether an error of node:fs says that the file is not there. */
export const isAbsent = (error: unknown): boolean => (error as { code?: unknown }).code === "ENOENT";
