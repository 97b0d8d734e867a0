/**
 * A key set: the wrapping keys that everything a vault writes is to be under, with the keyring that wraps under them.
 * A store knows of it only the digest; what is in it is each process' own configuration, or whoever writes to the
 * database could add a key of his own.
 */
import { createHash } from "node:crypto";
import { hasMethods, ownOptions } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import { VaultError } from "../errors.ts";

/** A keyring, and how the wrapping keys in it are called. */
export interface KeySetInput {
  /** Wraps the data key of every version; the regions and their minimum are its affair. */
  readonly keyring: Keyring;
  /** Names of its wrapping keys: of keys in AWS KMS, their ARNs. The order says nothing. */
  readonly keySet: readonly string[];
}

/** A key set as the vault uses it. */
export interface KeySet {
  readonly keyring: Keyring;
  /** Sorted; null: the keyring was given without names. */
  readonly names: readonly string[] | null;
  readonly digest: string;
}

/** Most wrapping keys of a set, and most bytes of one's name as UTF-8. */
export const MAX_KEY_SET_NAMES = 64;
export const MAX_KEY_NAME_BYTES = 2048;

/** What a digest begins with, so that it is the digest of nothing else. */
const NAMED = "strongroom:key-set:1";
const UNNAMED = "strongroom:key-set:unnamed";

/**
 * The digest by which the processes of one store know a key set: SHA-256, in hexadecimal, of its keys' names in the
 * order of their bytes, each after its length.
 *
 * @param names `null`: of a keyring whose keys nobody names
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { keySetDigest } from "@strongroom/vault";
 *
 * const [a, b] = ["arn:aws:kms:eu-west-1:111122223333:key/a", "arn:aws:kms:eu-west-2:111122223333:key/b"];
 * console.log(keySetDigest([a, b]) === keySetDigest([b, a])); // prints: true
 * console.log(keySetDigest([a]) === keySetDigest(null)); // prints: false
 * ```
 */
export function keySetDigest(names: readonly string[] | null): string {
  if (names === null) return createHash("sha256").update(UNNAMED, "utf8").digest("hex");
  const hash = createHash("sha256").update(NAMED, "utf8");
  for (const name of parseNames(names, "keySet")) {
    const bytes = Buffer.from(name, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest("hex");
}

/** @throws VaultError `vault-option-invalid` */
export function parseKeySet(keyring: Keyring, names: readonly string[] | undefined): KeySet {
  const parsed = names === undefined ? null : parseNames(names, "keySet");
  return { keyring, names: parsed, digest: keySetDigest(parsed) };
}

/** The set that will be in force next, as an option. @throws VaultError `vault-option-invalid` */
export function parseNext(given: unknown, current: KeySet): KeySet {
  const next = parseNextSet(given);
  if (next.digest !== current.digest) return next;
  throw new VaultError("vault-option-invalid", "next: keySet has the same keys as the vault's own");
}

/** A set with a keyring and names. @throws VaultError `vault-option-invalid` */
export function parseNextSet(given: unknown): KeySet {
  const { values, problems } = ownOptions(given, ["keyring", "keySet"], "what next has");
  const refused = (why: string): VaultError => new VaultError("vault-option-invalid", `next: ${why}`);
  if (problems.length > 0) throw refused(problems.join("; "));
  if (!hasMethods(values["keyring"], "onEncrypt", "onDecrypt")) throw refused("keyring must be a Keyring");
  const names = parseNames(values["keySet"], "next: keySet");
  return { keyring: values["keyring"] as Keyring, names, digest: keySetDigest(names) };
}

/** The names, sorted by their bytes. @throws VaultError `vault-option-invalid` */
function parseNames(given: unknown, what: string): readonly string[] {
  const refused = (why: string): VaultError => new VaultError("vault-option-invalid", `${what} ${why}`);
  if (!Array.isArray(given)) throw refused("must be a list of key names");
  const names = Array.from(given as unknown[]);
  if (names.length === 0 || names.length > MAX_KEY_SET_NAMES) throw refused(`has 1 to ${MAX_KEY_SET_NAMES} names`);
  if (!names.every(isName))
    throw refused(`must have names of 1 to ${MAX_KEY_NAME_BYTES} bytes of UTF-8 without control characters`);
  if (new Set(names).size !== names.length) throw refused("has a name twice");
  return names.sort((a, b) => Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8")));
}

function isName(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > MAX_KEY_NAME_BYTES) return false;
  return value.isWellFormed() && Buffer.byteLength(value, "utf8") <= MAX_KEY_NAME_BYTES && !/\p{Cc}/u.test(value);
}
