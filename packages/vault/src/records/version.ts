/**
 * One version of one record, between document and message: sealing makes a message under a data key of its own, opening
 * gives the document back only when the message belongs exactly where it lies.
 *
 * The encryption context of a version is computed from the address of its row, never read from its message. What the
 * message itself carries is only ever compared with that.
 */
import { createHash } from "node:crypto";
import { decrypt, encrypt, inspect } from "@strongroom/envelope";
import type { EncryptionContext, Keyring, MessageInspection } from "@strongroom/envelope";
import { envelopeFailure, openByOthers } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { KeySets } from "../keys/key-sets.ts";
import { notedCalls } from "../keys/key-work.ts";
import { lp } from "../keys/length-prefixed.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import { isOfKeyStore, KEY_STORE_WRAP_SET, sealedWrapSet } from "../keys/wraps.ts";
import type { RecordRows, StoredMessage } from "../stores/rows.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { MAX_ABOUT } from "./address.ts";
import type { Address, Subject, Version } from "./address.ts";
import { decodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";

/** A version's place and whom it is about: what its encryption context says. */
export interface VersionAddress extends Address {
  readonly subject: Subject;
  readonly version: Version;
  /** Scheme 2: the vault's id. Left out: scheme 1, of a vault without a key store. */
  readonly vault?: string;
  /** Scheme 2: opaque ids of further people. */
  readonly about?: readonly string[];
}

const VAULT = "strongroom:vault";
const COLLECTION = "strongroom:collection";
const ID = "strongroom:id";
const SUBJECT = "strongroom:subject";
const VERSION = "strongroom:version";
const ABOUT = "strongroom:about";

/**
 * The encryption context of a version: to read its message with any other AWS Encryption SDK. With the vault's id it is
 * that of scheme 2, in which `subject` is a person's opaque id and, in a collection whose ids are sealed, `id` is the
 * keyed hash.
 *
 * @example
 * ```ts
 * import { parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
 *
 * const address = parseAddress({ collection: "people", id: "C000127" });
 * const version = { ...address, subject: parseSubject("person-42"), version: parseVersion(1) };
 * const context = versionContext(version);
 * console.log(context["strongroom:subject"], context["strongroom:version"]); // prints: person-42 1
 * const vault = "7d6a1c9e-55b2-4f0f-9d0e-0a6f3c1b2d4e";
 * console.log(Object.keys(versionContext({ ...version, vault })).length); // prints: 5
 * ```
 */
export function versionContext(address: VersionAddress): EncryptionContext {
  const { collection, id, subject, version, vault, about = [] } = address;
  const first = { [COLLECTION]: collection, [ID]: id, [SUBJECT]: subject, [VERSION]: String(version) };
  if (vault === undefined) return first;
  const second = { ...first, [VAULT]: vault };
  return about.length === 0 ? second : { ...second, [ABOUT]: digestOf([subject, ...about]) };
}

/** Of everybody, in one order: who is named first is in the context besides. */
function digestOf(people: readonly string[]): string {
  return createHash("sha256").update(lp(people.toSorted())).digest("base64url");
}

/**
 * The address of a version as its row says it.
 *
 * @throws VaultError `key-store-lost` for a version of scheme 2 in a vault that has no key store; `record-tampered`
 */
export function storedAddress(
  { collection, id }: Address,
  { scheme, subject, version, about }: Pick<StoredMessage, "scheme" | "subject" | "version" | "about">,
  subjectKeys: Pick<SubjectKeys, "vault"> | null,
): VersionAddress {
  if (scheme === 1) return { collection, id, subject, version };
  if (about.length > MAX_ABOUT)
    throw new VaultError("record-tampered", "The row of the version is about more people than any version is");
  return { collection, id, subject, version, about, vault: requireKeyStore(subjectKeys).vault };
}

/** @throws VaultError `key-store-lost` */
export function requireKeyStore<Keys>(subjectKeys: Keys | null): Keys {
  if (subjectKeys !== null) return subjectKeys;
  throw new VaultError(
    "key-store-lost",
    "The record needs the vault's key store, and the vault was opened without one",
  );
}

/** What a message is opened with. */
export interface OpenOptions {
  readonly keys: Pick<KeySets, "forReading">;
  readonly subjectKeys: Pick<SubjectKeys, "opening"> | null;
  readonly signal: AbortSignal | undefined;
}

/** What a message is sealed with. */
export interface SealOptions {
  readonly keyring: Keyring;
  readonly signal: AbortSignal | undefined;
}

/** A message that was just made, and the wraps that its data key has. */
export interface SealedVersion {
  readonly message: Uint8Array;
  readonly wrapSet: WrapSet;
}

/**
 * Seals bytes that are a version's document; the caller wipes them.
 *
 * @throws VaultError `wraps-below-minimum`, `deadline-exceeded`, `keyring-overloaded`, `aborted`, `encryption-failed`
 */
export async function sealBytes(
  plaintext: Uint8Array,
  address: VersionAddress,
  { keyring, signal }: SealOptions,
): Promise<SealedVersion> {
  try {
    const sealed = await encrypt(plaintext, {
      keyring,
      encryptionContext: versionContext(address),
      ...(signal === undefined ? {} : { signal }),
      ...notedCalls(),
    });
    const hangsOnKeyStore = address.vault !== undefined && sealed.encryptedDataKeys.some(isOfKeyStore);
    return { message: sealed.message, wrapSet: hangsOnKeyStore ? KEY_STORE_WRAP_SET : sealedWrapSet(sealed) };
  } catch (error) {
    throw envelopeFailure(error);
  }
}

/** @throws VaultError as openBytes does; `stored-document-invalid` */
export async function openVersion(
  message: Uint8Array,
  address: VersionAddress,
  options: OpenOptions,
): Promise<JsonObject> {
  const plaintext = await openBytes(message, address, options);
  try {
    return decodeDocument(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * The bytes of a version's document; the caller wipes them.
 *
 * @throws VaultError `record-moved`, `record-moved-collection`, `record-moved-subject`, `record-rolled-back`,
 *   `record-tampered` before any key is asked for; `record-tampered`, `key-not-configured`, `subject-key-absent`,
 *   `subject-key-tampered`, `regions-unavailable`, `deadline-exceeded`, `keyring-overloaded`, `aborted`
 */
export async function openBytes(
  message: Uint8Array,
  address: VersionAddress,
  { keys, subjectKeys, signal }: OpenOptions,
): Promise<Uint8Array> {
  const encryptionContext = versionContext(address);
  const [first, ...others] = keys.forReading(() => requireContext(message, address).map(({ keyInfo }) => keyInfo));
  const opening = address.vault === undefined ? null : (subjectKeys?.opening ?? null);
  const open = async (keyring: Keyring): Promise<Uint8Array> => {
    const options = { keyring, encryptionContext, ...(signal === undefined ? {} : { signal }), ...notedCalls() };
    return (await decrypt(message, options)).plaintext;
  };
  try {
    return await open(opening === null ? first : byMessage(opening, first));
  } catch (error) {
    // It compares the context before it asks for any key; which entry differs, and what that means, is told here.
    const hangsOnKeyStore = requireContext(message, address).some(isOfKeyStore);
    if (opening !== null && hangsOnKeyStore) throw envelopeFailure(error);
    return openByOthers(others, open, envelopeFailure(error));
  }
}

/** The message says which: decided on the header that is parsed already. */
function byMessage(opening: Keyring, other: Keyring): Keyring {
  return {
    onEncrypt: (materials, call) => other.onEncrypt(materials, call),
    onDecrypt: (materials, dataKeys, call) =>
      (dataKeys.some(isOfKeyStore) ? opening : other).onDecrypt(materials, dataKeys, call),
  };
}

/**
 * That a message says it belongs to this version. Asks no key: that the message says it proves nothing yet.
 *
 * @returns what the message says wraps its data key
 * @throws VaultError `record-moved`, `record-moved-collection`, `record-moved-subject`, `record-rolled-back`,
 *   `record-tampered`
 */
export function requireContext(message: Uint8Array, address: VersionAddress): MessageInspection["encryptedDataKeys"] {
  const found = inspected(message);
  const mismatch = contextMismatch(versionContext(address), found.encryptionContext);
  if (mismatch !== null) throw new VaultError(mismatch.code, mismatch.message);
  return found.encryptedDataKeys;
}

/** @throws VaultError */
function inspected(message: Uint8Array): MessageInspection {
  try {
    return inspect(message);
  } catch (error) {
    throw envelopeFailure(error);
  }
}

interface Meaning {
  readonly code: VaultErrorCode;
  readonly message: string;
}

/**
 * Which entry differs -> what happened to the row. The first that differs names it: a message of another record usually
 * has another subject and version as well.
 */
const MISMATCHES: readonly (Meaning & { readonly key: string })[] = [
  { key: VAULT, code: "record-moved", message: "The message under this address says that it belongs to another vault" },
  {
    key: COLLECTION,
    code: "record-moved-collection",
    message: "The message under this address says that it belongs to another collection",
  },
  { key: ID, code: "record-moved", message: "The message under this address says that it belongs to another id" },
  {
    key: SUBJECT,
    code: "record-moved-subject",
    message: "The message of this version says that it is about another subject",
  },
  {
    key: VERSION,
    code: "record-rolled-back",
    message: "The message of this version says that it is another version of the record",
  },
  {
    key: ABOUT,
    code: "record-moved-subject",
    message: "The message of this version says that other people are in it besides its subject",
  },
];

/** Entries of every scheme; those of scheme 2 besides; that of further people, which only some versions have. */
const FIRST_SCHEME = [COLLECTION, ID, SUBJECT, VERSION];
const SCHEMES: readonly (readonly string[])[] = [
  FIRST_SCHEME,
  [...FIRST_SCHEME, VAULT],
  [...FIRST_SCHEME, VAULT, ABOUT],
];

/**
 * What is wrong with a message that carries the context `found` under an address whose context is `expected`; null when
 * they are equal. It goes by what the message says of itself: the message is refused unopened, so whether that is
 * authentic stays open. A message without exactly the entries of a scheme was never a version of a record; one of
 * another scheme is another version than the row says.
 */
function contextMismatch(expected: EncryptionContext, found: EncryptionContext): Meaning | null {
  const names = Object.keys(found);
  const isOfVault = SCHEMES.some(
    (keys) => keys.length === names.length && keys.every((key) => Object.hasOwn(found, key)),
  );
  if (!isOfVault)
    return { code: "record-tampered", message: "The message under this address was not made for a record" };
  if (Object.hasOwn(found, VAULT) !== Object.hasOwn(expected, VAULT))
    return {
      code: "record-tampered",
      message: "The message of this version was made under another scheme than its row",
    };
  return MISMATCHES.find(({ key }) => found[key] !== expected[key]) ?? null;
}

/** The error for a key set that changed before the write was made. */
export function keySetMoved(): VaultError {
  return new VaultError("key-set-moved", "Another key set came into force before the write was made");
}

/** The error for rows that hold what no vault writes. */
export function damaged({ damage }: Pick<RecordRows, "damage">): VaultError {
  return new VaultError("record-tampered", `The record's rows hold what no vault writes: ${damage ?? "its version"}`);
}
