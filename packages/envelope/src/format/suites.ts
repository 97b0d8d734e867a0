/**
 * The algorithm suites of the AWS Encryption SDK as one table (framework/algorithm-suites.md, "Supported Algorithm
 * Suites" and the settings tables after it), and the upper bounds on what a message may ask for. A suite id outside the
 * table is no suite.
 */
import { EnvelopeError } from "../errors.ts";
import { objectOf, option, wholeNumber } from "../options.ts";
import type { Option, Rows } from "../options.ts";

export type HashName = "sha256" | "sha384" | "sha512";
export type SignatureCurve = "prime256v1" | "secp384r1";

export interface AlgorithmSuite {
  /** The two bytes written into the header. */
  readonly id: number;
  readonly name: AlgorithmSuiteName;
  /** Message format version that carries this suite. */
  readonly messageVersion: 1 | 2;
  /** Cipher name as node:crypto knows it. */
  readonly cipher: "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";
  /** Bytes of the data key and of the key derived from it: the specification keeps both equal. */
  readonly keyLength: 16 | 24 | 32;
  /** HKDF hash; null uses the data key itself (Identity KDF). */
  readonly kdf: HashName | null;
  /** Whether the header carries a commitment to the key. */
  readonly committing: boolean;
  readonly signature: { readonly curve: SignatureCurve; readonly hash: HashName } | null;
}

export type CommittingSuiteName =
  "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY" | "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";

export type NonCommittingSuiteName =
  | "ALG_AES_128_GCM_IV12_TAG16_NO_KDF"
  | "ALG_AES_192_GCM_IV12_TAG16_NO_KDF"
  | "ALG_AES_256_GCM_IV12_TAG16_NO_KDF"
  | "ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256"
  | "ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256"
  | "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256"
  | "ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256"
  | "ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384"
  | "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384";

export type AlgorithmSuiteName = CommittingSuiteName | NonCommittingSuiteName;

/** Bytes of every suite's initialization vector. */
export const IV_LENGTH = 12;
/** Bytes of every suite's authentication tag. Shorter tags are never accepted. */
export const TAG_LENGTH = 16;
/** Bytes of the commitment in a version 2 header ("Algorithm Suite Data Length"). */
export const COMMIT_KEY_LENGTH = 32;
/** Bytes of the message id by message version (data-format/message-header.md, "Header Body"). */
export const MESSAGE_ID_LENGTH: { readonly 1: number; readonly 2: number } = { 1: 16, 2: 32 };

const P256 = Object.freeze({ curve: "prime256v1", hash: "sha256" } as const);
const P384 = Object.freeze({ curve: "secp384r1", hash: "sha384" } as const);

type Row = readonly [
  id: number,
  name: AlgorithmSuiteName,
  messageVersion: 1 | 2,
  keyLength: 16 | 24 | 32,
  kdf: HashName | null,
  signature: AlgorithmSuite["signature"],
];

const ROWS: readonly Row[] = [
  [0x0014, "ALG_AES_128_GCM_IV12_TAG16_NO_KDF", 1, 16, null, null],
  [0x0046, "ALG_AES_192_GCM_IV12_TAG16_NO_KDF", 1, 24, null, null],
  [0x0078, "ALG_AES_256_GCM_IV12_TAG16_NO_KDF", 1, 32, null, null],
  [0x0114, "ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256", 1, 16, "sha256", null],
  [0x0146, "ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256", 1, 24, "sha256", null],
  [0x0178, "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256", 1, 32, "sha256", null],
  [0x0214, "ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256", 1, 16, "sha256", P256],
  [0x0346, "ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 1, 24, "sha384", P384],
  [0x0378, "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 1, 32, "sha384", P384],
  [0x0478, "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", 2, 32, "sha512", null],
  [0x0578, "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384", 2, 32, "sha512", P384],
];

const CIPHERS = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" } as const;

const SUITES: readonly AlgorithmSuite[] = ROWS.map(([id, name, messageVersion, keyLength, kdf, signature]) =>
  Object.freeze({
    id,
    name,
    messageVersion,
    cipher: CIPHERS[keyLength],
    keyLength,
    kdf,
    committing: messageVersion === 2,
    signature,
  }),
);

/** All suites by name. */
export const ALGORITHM_SUITES: Readonly<Record<AlgorithmSuiteName, AlgorithmSuite>> = Object.freeze(
  Object.fromEntries(SUITES.map((suite) => [suite.name, suite])),
) as Record<AlgorithmSuiteName, AlgorithmSuite>;

const BY_ID: ReadonlyMap<number, AlgorithmSuite> = new Map(SUITES.map((suite) => [suite.id, suite]));

/** The suite with this id, or undefined: the specification knows no other. */
export function suiteById(id: number): AlgorithmSuite | undefined {
  return BY_ID.get(id);
}

// Limits. Each is checked before memory is taken for it and before any key is asked for. Threat answered: a hostile
// message that costs memory, KMS calls or time.

export interface MessageLimits {
  /** Encrypted data keys in one message (client-apis/client.md, "Maximum Number Of Encrypted Data Keys"). */
  readonly encryptedDataKeys: number;
  /** Bytes of the serialized encryption context. AWS KMS takes no more than 8,192 characters. */
  readonly contextBytes: number;
  /** Bytes of one frame's content; also of the one block of an unframed message. */
  readonly frameBytes: number;
  /** Bytes of plaintext in one message. Streams have no such limit unless given one. */
  readonly plaintextBytes: number;
  /** Bytes of plaintext that a decrypt stream keeps until a signed message's signature is verified. */
  readonly heldBackBytes: number;
}

export const DEFAULT_LIMITS: MessageLimits = {
  encryptedDataKeys: 16,
  contextBytes: 8_192,
  frameBytes: 16 * 1024 * 1024,
  plaintextBytes: 1024 * 1024 * 1024,
  heldBackBytes: 64 * 1024 * 1024,
};

/** What the format itself can express (data-format/message-header.md, data-format/message-body.md). */
export const FORMAT_LIMITS: MessageLimits = {
  encryptedDataKeys: 0xffff,
  contextBytes: 0xffff,
  frameBytes: 0xffff_ffff,
  plaintextBytes: Number.MAX_SAFE_INTEGER,
  heldBackBytes: Number.MAX_SAFE_INTEGER,
};

/** The option `limits`: whole numbers within the format's own bounds, over `defaults`. */
export function limitsOption(defaults: MessageLimits): Option<MessageLimits> {
  const names = Object.keys(FORMAT_LIMITS) as (keyof MessageLimits)[];
  const rows = names.map((name) => [name, option(wholeNumber(1, FORMAT_LIMITS[name]), defaults[name])]);
  return option(objectOf(Object.fromEntries(rows) as Rows<MessageLimits>), defaults);
}

/** Throws `limit-exceeded` naming the limit, what was found and what is allowed. */
export function enforceLimit(limits: MessageLimits, name: keyof MessageLimits, found: number): void {
  if (found > limits[name]) {
    throw new EnvelopeError("limit-exceeded", `${name}: ${found} is more than the limit of ${limits[name]}`);
  }
}
