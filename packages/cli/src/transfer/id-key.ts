// The key under which ids are made of fields. It is the installation's: without it nobody can find out whose id one is
// by trying addresses, and with another one the same people get other ids. So it is made once, kept for its owner
// alone, and never made anew where there should be one.
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { createFileSync, isAbsent, systemErrorCode, systemReason } from "@strongroom/base/files";
import { readSecretFileSync } from "@strongroom/base/secret-file";
import { stat } from "node:fs/promises";
import { dataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";

/** Shortest key, in bytes. A made one has as many, as base64. */
const KEY_BYTES = 32;

/** The key, and the path of its file if it was made just now. */
export interface IdKey {
  readonly key: KeyObject;
  readonly made: string | null;
}

/**
 * Reads the key of the file that was given, which must exist, else that of the data folder, which is made when the
 * folder has none. Throws `id-key-unusable`.
 */
export async function readIdKey(keyFile: string | null, dataDir: string): Promise<IdKey> {
  if (keyFile !== null) return { key: keyIn(keyFile), made: null };
  const { path, idKey } = dataFolder(dataDir);
  const folder = await stat(path).catch(() => null);
  if (folder?.isDirectory() !== true)
    throw new CliError("id-key-unusable", {
      detail: `There is no data folder ${path} to keep the key in.`,
      remedy:
        "Give a key with --id-key-file FILE, the same at each import. This makes one: " +
        "(umask 077; head -c 32 /dev/urandom | base64 > FILE)",
    });
  const made = makeOnce(idKey);
  return { key: keyIn(idKey), made: made ? idKey : null };
}

/** Whether it was made now; another import may have been faster. */
function makeOnce(path: string): boolean {
  try {
    // Looked for first: a file that is there and may not be read is no reason to try to make one.
    readSecretFileSync(path);
    return false;
  } catch (error) {
    if (!isAbsent(error)) return false;
  }
  try {
    createFileSync(path, `${randomBytes(KEY_BYTES).toString("base64")}\n`);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw new CliError("id-key-unusable", { detail: `${path}: ${systemReason(error)}.`, cause: error });
  }
}

function keyIn(path: string): KeyObject {
  let bytes: Buffer;
  try {
    bytes = readSecretFileSync(path);
  } catch (cause) {
    const reason =
      cause instanceof Error && "reason" in cause && typeof cause.reason === "string"
        ? cause.reason
        : systemReason(cause);
    throw new CliError("id-key-unusable", { detail: `${path}: ${reason}.`, cause });
  }
  try {
    // An editor adds a line break, and it must not make another key.
    const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
    const secret = bytes.subarray(0, bytes.length - end);
    if (secret.length < KEY_BYTES)
      throw new CliError("id-key-unusable", {
        detail: `${path} holds ${secret.length} bytes; a key has at least ${KEY_BYTES}.`,
      });
    return createSecretKey(secret);
  } finally {
    bytes.fill(0);
  }
}
