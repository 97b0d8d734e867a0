/**
 * One version of one record, between document and message: sealing makes a message under a data key of its own, opening
 * gives the document back only when the message belongs exactly where it lies.
 */
import { decrypt, encrypt, inspect } from "@strongroom/envelope";
import type { EncryptionContext, Keyring } from "@strongroom/envelope";
import { decodeDocument, encodeDocument } from "./document.ts";
import type { DocumentLimits, JsonObject } from "./document.ts";
import { envelopeFailure } from "./envelope-failure.ts";
import { VaultError } from "./errors.ts";
import type { MissingWrap, WrapCount } from "./store.ts";
import { contextMismatch, versionContext } from "./version-context.ts";
import type { VersionAddress } from "./version-context.ts";

export interface OpenOptions {
  readonly keyring: Keyring;
  readonly signal: AbortSignal | undefined;
}

export interface SealOptions extends OpenOptions {
  readonly limits: DocumentLimits;
}

export interface SealedVersion {
  readonly message: Uint8Array;
  readonly wraps: WrapCount;
  readonly missing: readonly MissingWrap[];
}

/**
 * @throws VaultError `document-invalid`, `document-too-large` before any key is asked for; `wraps-below-minimum`,
 *   `deadline-exceeded`, `aborted`, `encryption-failed`
 */
export async function sealVersion(
  document: JsonObject,
  address: VersionAddress,
  { limits, ...options }: SealOptions,
): Promise<SealedVersion> {
  const plaintext = encodeDocument(document, limits);
  try {
    return await sealBytes(plaintext, address, options);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Seals bytes that are a version's document; the caller wipes them.
 *
 * @throws VaultError `wraps-below-minimum`, `deadline-exceeded`, `aborted`, `encryption-failed`
 */
export async function sealBytes(
  plaintext: Uint8Array,
  address: VersionAddress,
  { keyring, signal }: OpenOptions,
): Promise<SealedVersion> {
  try {
    const { message, encryptedDataKeys, wraps } = await encrypt(plaintext, {
      keyring,
      encryptionContext: versionContext(address),
      ...(signal === undefined ? {} : { signal }),
    });
    // A keyring without regions reports nothing: what it wrapped is what it was meant to wrap.
    const stored = wraps?.stored.length ?? encryptedDataKeys.length;
    return { message, wraps: { stored, target: wraps?.target ?? stored }, missing: wraps?.missing ?? [] };
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
 *   `deadline-exceeded`, `aborted`
 */
export async function openBytes(
  message: Uint8Array,
  address: VersionAddress,
  { keyring, signal }: OpenOptions,
): Promise<Uint8Array> {
  const encryptionContext = versionContext(address);
  const mismatch = contextMismatch(encryptionContext, claimedContext(message));
  if (mismatch !== null) throw new VaultError(mismatch.code, mismatch.says);
  try {
    const { plaintext } = await decrypt(message, {
      keyring,
      encryptionContext,
      ...(signal === undefined ? {} : { signal }),
    });
    return plaintext;
  } catch (error) {
    throw envelopeFailure(error);
  }
}

function claimedContext(message: Uint8Array): EncryptionContext {
  try {
    return inspect(message).encryptionContext;
  } catch (error) {
    throw envelopeFailure(error);
  }
}
