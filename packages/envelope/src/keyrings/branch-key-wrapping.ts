/**
 * How the hierarchical keyring wraps a data key under a branch key: a key derived for this one wrap, then AES-256-GCM
 * (framework/aws-kms/aws-kms-hierarchical-keyring.md, "Ciphertext", "Branch Key Wrapping", "Branch Key Wrapping and
 * Unwrapping AAD"). Beside it the same for whoever has another label and another AAD: however much is sealed under one
 * key, no IV is used twice under one derived key.
 */
import { counterKdf, counterKdfInput } from "../crypto/counter-kdf.ts";
import { GCM_TAG_LENGTH, gcmOpen, gcmSeal } from "../crypto/gcm.ts";
import { randomPublicBytes, SecretBytes, sharedBytes } from "../crypto/secret.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { IV_LENGTH } from "../format/suites.ts";

export const HIERARCHY_PROVIDER = "aws-kms-hierarchy";
export const BRANCH_KEY_LENGTH = 32;

const LABEL = Buffer.from(HIERARCHY_PROVIDER, "utf8");
const SALT_LENGTH = 16;
const VERSION_LENGTH = 16;
const VERSION_START = SALT_LENGTH + IV_LENGTH;
const KEY_START = VERSION_START + VERSION_LENGTH;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface BranchKeyWrapping {
  readonly branchKeyId: string;
  readonly branchKey: SecretBytes;
  /** The serialized encryption context. */
  readonly context: Uint8Array;
}

/** Whether a branch key's version can be stored: a version 4 UUID (RFC 9562) in lower case. */
export function isBranchKeyVersion(version: unknown): version is string {
  return typeof version === "string" && UUID.test(version);
}

/** @param version must be a branch key's version */
export function branchKeyWrap(dataKey: SecretBytes, version: string, wrapping: BranchKeyWrapping): Buffer {
  return wrapUnder(dataKey, version, termsOf(wrapping, versionBytes(version)));
}

/** What bytes are sealed with. */
export interface DerivedSealing {
  /** Of what is sealed so and of nothing else: part of the derivation. */
  readonly label: string;
  /** 32 bytes. */
  readonly key: SecretBytes;
  readonly aad: Uint8Array;
}

/** Bytes that {@link sealUnder} adds. */
export const DERIVED_SEALING_OVERHEAD: number = VERSION_START + GCM_TAG_LENGTH;

/**
 * Seals bytes under a key that is derived for this one time: salt 16 | IV 12 | ciphertext | tag 16. There is no bound
 * on how often one key may be used so.
 *
 * @example
 * ```ts
 * import { openUnder, randomSecret, sealUnder } from "@strongroom/envelope/keyrings";
 *
 * using key = randomSecret(32);
 * const sealing = { label: "my-app/names", key, aad: Buffer.from("customer 42") };
 * const sealed = sealUnder(Buffer.from("Ada"), sealing);
 * console.log(sealed.length - 3); // prints: 44
 * console.log(openUnder(sealed, { ...sealing, aad: Buffer.from("customer 43") })); // prints: null
 * ```
 */
export function sealUnder(bytes: Uint8Array, { label, key, aad }: DerivedSealing): Buffer {
  const saltAndIv = randomPublicBytes(VERSION_START);
  const derived = derive(key, label, saltAndIv.subarray(0, SALT_LENGTH));
  try {
    const { ciphertext, tag } = gcmSeal("aes-256-gcm", derived, saltAndIv.subarray(SALT_LENGTH), aad, bytes);
    return Buffer.concat([saltAndIv, ciphertext, tag]);
  } finally {
    derived.fill(0);
  }
}

/**
 * What {@link sealUnder} made, opened; null when it does not open.
 *
 * @example
 * ```ts
 * import { openUnder, randomSecret, sealUnder } from "@strongroom/envelope/keyrings";
 *
 * using key = randomSecret(32);
 * const sealing = { label: "my-app/names", key, aad: Buffer.from("customer 42") };
 * using name = openUnder(sealUnder(Buffer.from("Ada"), sealing), sealing);
 * console.log(name?.bytes.toString()); // prints: Ada
 * ```
 */
export function openUnder(sealed: Uint8Array, sealing: DerivedSealing): SecretBytes | null {
  if (sealed.length < DERIVED_SEALING_OVERHEAD) return null;
  const bytes = asBuffer(sealed);
  const tagStart = bytes.length - GCM_TAG_LENGTH;
  const derived = derive(sealing.key, sealing.label, bytes.subarray(0, SALT_LENGTH));
  const iv = bytes.subarray(SALT_LENGTH, VERSION_START);
  try {
    return new SecretBytes(
      gcmOpen(
        "aes-256-gcm",
        derived,
        iv,
        sealing.aad,
        bytes.subarray(VERSION_START, tagStart),
        bytes.subarray(tagStart),
      ),
    );
  } catch {
    return null;
  } finally {
    derived.fill(0);
  }
}

/**
 * The same around a key, with the version of the key that it is wrapped under: salt 16 | IV 12 | version 16 | key |
 * tag 16. The version is for who has to find that key; the AAD must name it.
 *
 * @param version a version 4 UUID in lower case
 * @example
 * ```ts
 * import { randomUUID } from "node:crypto";
 * import { randomSecret, unwrapUnder, wrapUnder, wrapVersionOf } from "@strongroom/envelope/keyrings";
 *
 * const version = randomUUID();
 * using tenantKey = randomSecret(32);
 * using key = randomSecret(32);
 * const sealing = { label: "my-app/keys", key: tenantKey, aad: Buffer.from(`${version} customer 42`) };
 * const wrapped = wrapUnder(key, version, sealing);
 * console.log(wrapVersionOf(wrapped, 32) === version); // prints: true
 * using opened = unwrapUnder(wrapped, sealing);
 * console.log(opened?.bytes.equals(key.bytes)); // prints: true
 * ```
 */
export function wrapUnder(secret: SecretBytes, version: string, sealing: DerivedSealing): Buffer {
  const sealed = sealUnder(sharedBytes(secret), sealing);
  return Buffer.concat([sealed.subarray(0, VERSION_START), versionBytes(version), sealed.subarray(VERSION_START)]);
}

/**
 * The key that {@link wrapUnder} wrapped; null when it does not open.
 *
 * @example
 * ```ts
 * import { randomUUID } from "node:crypto";
 * import { randomSecret, unwrapUnder, wrapUnder, wrapVersionOf } from "@strongroom/envelope/keyrings";
 *
 * const version = randomUUID();
 * using tenantKey = randomSecret(32);
 * using key = randomSecret(32);
 * const sealing = { label: "my-app/keys", key: tenantKey, aad: Buffer.from(`${version} customer 42`) };
 * const wrapped = wrapUnder(key, version, sealing);
 * console.log(wrapVersionOf(wrapped, 32) === version); // prints: true
 * using opened = unwrapUnder(wrapped, sealing);
 * console.log(opened?.bytes.equals(key.bytes)); // prints: true
 * ```
 */
export function unwrapUnder(wrapped: Uint8Array, sealing: DerivedSealing): SecretBytes | null {
  if (wrapped.length < KEY_START + GCM_TAG_LENGTH) return null;
  const bytes = asBuffer(wrapped);
  return openUnder(Buffer.concat([bytes.subarray(0, VERSION_START), bytes.subarray(KEY_START)]), sealing);
}

/**
 * The version of the key that wrapped this; null for a ciphertext of another length than this data key's.
 *
 * @example
 * ```ts
 * import { randomUUID } from "node:crypto";
 * import { randomSecret, unwrapUnder, wrapUnder, wrapVersionOf } from "@strongroom/envelope/keyrings";
 *
 * const version = randomUUID();
 * using tenantKey = randomSecret(32);
 * using key = randomSecret(32);
 * const sealing = { label: "my-app/keys", key: tenantKey, aad: Buffer.from(`${version} customer 42`) };
 * const wrapped = wrapUnder(key, version, sealing);
 * console.log(wrapVersionOf(wrapped, 32) === version); // prints: true
 * using opened = unwrapUnder(wrapped, sealing);
 * console.log(opened?.bytes.equals(key.bytes)); // prints: true
 * ```
 */
export function branchKeyVersionOf(ciphertext: Uint8Array, keyLength: number): string | null {
  if (ciphertext.length !== KEY_START + keyLength + GCM_TAG_LENGTH) return null;
  const digits = asBuffer(ciphertext).toString("hex", VERSION_START, KEY_START);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    "-",
  );
}

/** null when it does not open. The ciphertext's length must have been checked by `branchKeyVersionOf`. */
export function branchKeyUnwrap(ciphertext: Uint8Array, wrapping: BranchKeyWrapping): SecretBytes | null {
  return unwrapUnder(ciphertext, termsOf(wrapping, ciphertext.subarray(VERSION_START, KEY_START)));
}

/** One seal's own key. */
function derive(key: SecretBytes, label: string, salt: Uint8Array): Buffer {
  const input = counterKdfInput(Buffer.from(label, "utf8"), salt, BRANCH_KEY_LENGTH);
  return counterKdf("sha256", sharedBytes(key), input, BRANCH_KEY_LENGTH);
}

function termsOf({ branchKeyId, branchKey, context }: BranchKeyWrapping, version: Uint8Array): DerivedSealing {
  const aad = Buffer.concat([LABEL, Buffer.from(branchKeyId, "utf8"), version, context]);
  return { label: HIERARCHY_PROVIDER, key: branchKey, aad };
}

function versionBytes(version: string): Buffer {
  return Buffer.from(version.replaceAll("-", ""), "hex");
}
