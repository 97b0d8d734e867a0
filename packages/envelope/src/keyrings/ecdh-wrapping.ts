/**
 * How both ECDH keyrings, raw and AWS KMS, wrap a data key under a shared secret (framework/raw-ecdh-keyring.md,
 * "Structure", "Data Key Wrapping"; framework/key-agreement-schemas.md, "Key Derivation"). Each wrap has a nonce of its
 * own, which makes a key of its own: that is why its IV may be all zeros.
 */
import { counterKdf, counterKdfInput } from "../crypto/counter-kdf.ts";
import { compressedLength } from "../crypto/ecdh.ts";
import type { EcdhCurve } from "../crypto/ecdh.ts";
import { GCM_TAG_LENGTH, gcmOpen, gcmSeal } from "../crypto/gcm.ts";
import { equalInConstantTime, randomPublicBytes, SecretBytes } from "../crypto/secret.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { IV_LENGTH } from "../format/suites.ts";

export const RAW_ECDH_PROVIDER = "raw-ecdh";
export const KMS_ECDH_PROVIDER = "aws-kms-ecdh";
/** Either keyring reads what the other wrote. */
const PROVIDERS: ReadonlySet<string> = new Set([RAW_ECDH_PROVIDER, KMS_ECDH_PROVIDER]);

const VERSION = Buffer.of(1);
const NONCE_LENGTH = 32;
const COMMIT_KEY_LENGTH = 32;
const WRAPPING_KEY_LENGTH = 32;
const ZERO_IV = Buffer.alloc(IV_LENGTH);
const SEPARATOR = Buffer.of(0);
/** Curve names and the method's name as the fixed input of the derivation spells them. */
const CURVE_TEXT: Readonly<Record<EcdhCurve, string>> = {
  ECC_NIST_P256: "p256",
  ECC_NIST_P384: "p384",
  ECC_NIST_P521: "p521",
};
const PURPOSE = "ecdh-key-derivation";
const METHOD = "HMAC_SHA384";

/** The compressed public keys of both sides, as an encrypted data key names them. */
export interface EcdhParties {
  readonly sender: Uint8Array;
  readonly recipient: Uint8Array;
}

export interface EcdhWrapping {
  readonly curve: EcdhCurve;
  readonly parties: EcdhParties;
  /** Neither wiped nor kept. */
  readonly secret: SecretBytes;
  /** The serialized encryption context. */
  readonly context: Uint8Array;
}

/** "Key Provider Information": version, recipient's key, sender's key, each with its length in four bytes. */
export function ecdhProviderInfo({ sender, recipient }: EcdhParties): Buffer {
  return Buffer.concat([VERSION, uint32(recipient.length), recipient, uint32(sender.length), sender]);
}

/** The parties of an encrypted data key that an ECDH keyring of this curve wrote; null of any other. */
export function ecdhParties(curve: EcdhCurve, { providerId, providerInfo }: EncryptedDataKey): EcdhParties | null {
  if (!PROVIDERS.has(providerId)) return null;
  const keyLength = compressedLength(curve);
  const recipientStart = VERSION.length + 4;
  const senderStart = recipientStart + keyLength + 4;
  if (providerInfo.length !== senderStart + keyLength) return null;
  const parties = {
    recipient: providerInfo.subarray(recipientStart, recipientStart + keyLength),
    sender: providerInfo.subarray(senderStart),
  };
  return ecdhProviderInfo(parties).equals(providerInfo) ? parties : null;
}

/** "Ciphertext": nonce, commitment key, encrypted data key, tag. */
export function ecdhWrap(dataKey: SecretBytes, wrapping: EcdhWrapping): Buffer {
  const nonce = randomPublicBytes(NONCE_LENGTH);
  const fixedInfo = fixedInfoOf(wrapping);
  const derived = deriveKeys(wrapping.secret, nonce, fixedInfo);
  try {
    const { ciphertext, tag } = gcmSeal("aes-256-gcm", wrappingKeyOf(derived), ZERO_IV, fixedInfo, dataKey.bytes);
    return Buffer.concat([nonce, commitKeyOf(derived), ciphertext, tag]);
  } finally {
    derived.fill(0);
  }
}

/** null when it does not open: wrong secret, other parties or context, changed bytes. */
export function ecdhUnwrap(ciphertext: Uint8Array, keyLength: number, wrapping: EcdhWrapping): SecretBytes | null {
  const bytes = asBuffer(ciphertext);
  const keyStart = NONCE_LENGTH + COMMIT_KEY_LENGTH;
  const tagStart = keyStart + keyLength;
  if (bytes.length !== tagStart + GCM_TAG_LENGTH) return null;
  const fixedInfo = fixedInfoOf(wrapping);
  const derived = deriveKeys(wrapping.secret, bytes.subarray(0, NONCE_LENGTH), fixedInfo);
  try {
    if (!equalInConstantTime(commitKeyOf(derived), bytes.subarray(NONCE_LENGTH, keyStart))) return null;
    return new SecretBytes(
      gcmOpen(
        "aes-256-gcm",
        wrappingKeyOf(derived),
        ZERO_IV,
        fixedInfo,
        bytes.subarray(keyStart, tagStart),
        bytes.subarray(tagStart),
      ),
    );
  } catch {
    return null;
  } finally {
    derived.fill(0);
  }
}

/** Commitment key and wrapping key, one after the other. */
function deriveKeys(secret: SecretBytes, nonce: Uint8Array, fixedInfo: Uint8Array): Buffer {
  const length = COMMIT_KEY_LENGTH + WRAPPING_KEY_LENGTH;
  return counterKdf("sha384", secret.bytes, counterKdfInput(fixedInfo, nonce, length), length);
}

function commitKeyOf(derived: Buffer): Buffer {
  return derived.subarray(0, COMMIT_KEY_LENGTH);
}

function wrappingKeyOf(derived: Buffer): Buffer {
  return derived.subarray(COMMIT_KEY_LENGTH);
}

/** "FixedInfo": binds curve, method, both parties, version and context; also the additional data of the wrap. */
function fixedInfoOf({ curve, parties, context }: EcdhWrapping): Buffer {
  const text = Buffer.from([PURPOSE, CURVE_TEXT[curve], METHOD, ""].join("\0"), "utf8");
  return Buffer.concat([text, parties.sender, parties.recipient, SEPARATOR, VERSION, SEPARATOR, context]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
