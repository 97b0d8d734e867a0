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
  /**
   * Of a key store's set, its shredding generation; left out: that of the set before it. A higher one shreds: none of
   * its wrapping keys may be of the set before.
   */
  readonly generation?: number;
}

/** A key set as the vault uses it. */
export interface KeySet {
  readonly keyring: Keyring;
  /** Sorted; null: the keyring was given without names. */
  readonly names: readonly string[] | null;
  readonly digest: string;
  /** Shredding generation of what is wrapped under it; 0: shared with records, and never shredded. */
  readonly generation: number;
}

/** Most wrapping keys of a set, and most bytes of one's name as UTF-8. */
export const MAX_KEY_SET_NAMES = 64;
export const MAX_KEY_NAME_BYTES = 2048;

/** What a digest begins with, so that it is the digest of nothing else. */
const NAMED = "strongroom:key-set:1";
const UNNAMED = "strongroom:key-set:unnamed";
const GENERATION = "strongroom:generation:";
/** Sets of this one and of 0 have the digest that they had before there were others. */
const FIRST_GENERATION = 1;

/**
 * The digest by which the processes of one store know a key set: SHA-256, in hexadecimal, of its keys' names in the
 * order of their bytes, each after its length.
 *
 * @param names `null`: of a keyring whose keys nobody names
 * @param generation of a key store's set, its shredding generation: two sets of the same keys that differ in it are
 *   two, so that no process writes in another generation than the others
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
export function keySetDigest(names: readonly string[] | null, generation: number = FIRST_GENERATION): string {
  const hash = createHash("sha256");
  if (generation > FIRST_GENERATION) hash.update(`${GENERATION}${generation}:`, "utf8");
  if (names === null) return hash.update(UNNAMED, "utf8").digest("hex");
  hash.update(NAMED, "utf8");
  for (const name of parseNames(names, "keySet")) {
    const bytes = Buffer.from(name, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest("hex");
}

/** @throws VaultError `vault-option-invalid` */
export function parseKeySet(keyring: Keyring, names: readonly string[] | undefined, generation: number = 0): KeySet {
  const parsed = names === undefined ? null : parseNames(names, "keySet");
  return { keyring, names: parsed, digest: keySetDigest(parsed, generation), generation };
}

/** The set that will be in force next, as an option. @throws VaultError `vault-option-invalid` */
export function parseNext(given: unknown, current: KeySet): KeySet {
  const next = parseNextSet(given, current);
  if (next.digest !== current.digest) return next;
  throw new VaultError("vault-option-invalid", "next: keySet has the same keys as the vault's own");
}

/** A set with a keyring and names, that follows another one. @throws VaultError `vault-option-invalid` */
export function parseNextSet(given: unknown, current: Pick<KeySet, "names" | "generation">): KeySet {
  const { values, problems } = ownOptions(given, ["keyring", "keySet", "generation"], "what next has");
  const refused = (why: string): VaultError => new VaultError("vault-option-invalid", `next: ${why}`);
  if (problems.length > 0) throw refused(problems.join("; "));
  if (!hasMethods(values["keyring"], "onEncrypt", "onDecrypt")) throw refused("keyring must be a Keyring");
  const names = parseNames(values["keySet"], "next: keySet");
  const generation = nextGeneration(values["generation"], names, current);
  if (typeof generation === "string") throw refused(generation);
  return { keyring: values["keyring"] as Keyring, names, digest: keySetDigest(names, generation), generation };
}

/** The generation of a set that follows another one; a text: what is wrong with it. */
function nextGeneration(
  given: unknown,
  names: readonly string[],
  current: Pick<KeySet, "names" | "generation">,
): number | string {
  const { generation } = current;
  if (given === undefined || given === generation) return generation;
  if (generation === 0) return "generation 0 is shared with records, and nothing follows it";
  if (!Number.isSafeInteger(given) || (given as number) < generation)
    return "generation must be a whole number, and not below that of the set before";
  const shared = names.filter((name) => current.names?.includes(name) ?? true);
  // Under a key of both, old backups would open for as long as the new generation lives.
  if (shared.length > 0) return "a new generation has none of the keys of the one before";
  return given as number;
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
