/**
 * One version of one record, between document and message: sealing makes a message under a data key of its own, opening
 * gives the document back only when the message belongs exactly where it lies.
 *
 * The encryption context of a version is computed from the address of its row, never read from its message. What the
 * message itself carries is only ever compared with that.
 */
import { decrypt, encrypt, inspect } from "@strongroom/envelope";
import type { EncryptionContext, Keyring, MessageInspection } from "@strongroom/envelope";
import { envelopeFailure, openByOthers } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { KeySets } from "../keys/key-sets.ts";
import { sealedWrapSet } from "../keys/wraps.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import type { Address, Subject, Version } from "./address.ts";
import { decodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";

/** A version's place and whom it is about: what its encryption context says. */
export interface VersionAddress extends Address {
  readonly subject: Subject;
  readonly version: Version;
}

const COLLECTION = "strongroom:collection";
const ID = "strongroom:id";
const SUBJECT = "strongroom:subject";
const VERSION = "strongroom:version";

/**
 * The encryption context of a version: to read its message with any other AWS Encryption SDK.
 *
 * @example
 * ```ts
 * import { parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
 *
 * const address = parseAddress({ collection: "people", id: "C000127" });
 * const context = versionContext({ ...address, subject: parseSubject("person-42"), version: parseVersion(1) });
 * console.log(context["strongroom:subject"], context["strongroom:version"]); // prints: person-42 1
 * ```
 */
export function versionContext({ collection, id, subject, version }: VersionAddress): EncryptionContext {
  return { [COLLECTION]: collection, [ID]: id, [SUBJECT]: subject, [VERSION]: String(version) };
}

/** What a message is opened with. */
export interface OpenOptions {
  readonly keys: Pick<KeySets, "forReading">;
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
    });
    return { message: sealed.message, wrapSet: sealedWrapSet(sealed) };
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
 *   `record-tampered` before any key is asked for; `record-tampered`, `key-not-configured`, `regions-unavailable`,
 *   `deadline-exceeded`, `keyring-overloaded`, `aborted`
 */
export async function openBytes(
  message: Uint8Array,
  address: VersionAddress,
  { keys, signal }: OpenOptions,
): Promise<Uint8Array> {
  const encryptionContext = versionContext(address);
  const [first, ...others] = keys.forReading(() => requireContext(message, address));
  const open = async (keyring: Keyring): Promise<Uint8Array> => {
    const options = { keyring, encryptionContext, ...(signal === undefined ? {} : { signal }) };
    return (await decrypt(message, options)).plaintext;
  };
  try {
    return await open(first);
  } catch (error) {
    // It compares the context before it asks for any key; which entry differs, and what that means, is told here.
    requireContext(message, address);
    return openByOthers(others, open, envelopeFailure(error));
  }
}

/**
 * That a message says it belongs to this version. Asks no key: that the message says it proves nothing yet.
 *
 * @returns names of the wrapping keys that the message says it has wraps of
 * @throws VaultError `record-moved`, `record-moved-collection`, `record-moved-subject`, `record-rolled-back`,
 *   `record-tampered`
 */
export function requireContext(message: Uint8Array, address: VersionAddress): readonly string[] {
  const found = inspected(message);
  const mismatch = contextMismatch(versionContext(address), found.encryptionContext);
  if (mismatch !== null) throw new VaultError(mismatch.code, mismatch.message);
  return found.encryptedDataKeys.map(({ keyInfo }) => keyInfo);
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
];

/**
 * What is wrong with a message that carries the context `found` under an address whose context is `expected`; null when
 * they are equal. It goes by what the message says of itself: the message is refused unopened, so whether that is
 * authentic stays open. A message without exactly these four entries was never a version of a record.
 */
function contextMismatch(expected: EncryptionContext, found: EncryptionContext): Meaning | null {
  const keys = Object.keys(found);
  if (keys.length !== MISMATCHES.length || !MISMATCHES.every(({ key }) => Object.hasOwn(found, key))) {
    return { code: "record-tampered", message: "The message under this address was not made for a record" };
  }
  return MISMATCHES.find(({ key }) => found[key] !== expected[key]) ?? null;
}
