/**
 * @strongroom/envelope/aws-kms-direct: short strings, up to the 4,096 bytes that AWS KMS takes, encrypted by the KMS
 *   itself in several regions (AWS KMS API Reference, "Encrypt"), without a data key of their own. Every read is a
 *   call; the plaintext passes through the KMS. For a password or a token that is fine and leaves no key here; for
 *   anything else `encrypt` is faster, cheaper and has no limit.
 *
 * What is stored: two bytes that say what this is, the plaintext's length in two bytes, then the regions' ciphertexts
 * as a message's header stores encrypted data keys. Each is an ordinary ciphertext blob that `aws kms decrypt` opens.
 */
import { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError } from "../errors.ts";
import { ByteReader } from "../format/byte-reader.ts";
import { canonicalContext } from "../format/encryption-context.ts";
import type { CanonicalContext, EncryptionContext } from "../format/encryption-context.ts";
import { encryptedDataKeysLength, readEncryptedDataKeys, writeEncryptedDataKeys } from "../format/header.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { ALGORITHM_SUITES, DEFAULT_LIMITS } from "../format/suites.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import { abortSignal, anything, having, needed, objectOf, option, readOptions, requireBytes } from "../options.ts";
import type { RowsFor } from "../options.ts";
import type { MultiRegionKeyring } from "../multi-region/keyring.ts";

export interface DirectOptions {
  /** Its regions, minimum, target and deadline hold here as for data keys. */
  readonly keyring: MultiRegionKeyring;
  /** Non-secret pairs that name what the string is; needed again, and exactly, to decrypt. Not stored. */
  readonly encryptionContext: EncryptionContext;
  readonly signal?: AbortSignal;
}

export interface DirectEncryptResult {
  readonly sealed: Uint8Array;
  /** Which regions can open it. */
  readonly wraps: WrapReport;
}

/** AWS KMS API Reference, "Encrypt", Plaintext */
export const DIRECT_LIMIT_BYTES = 4_096;

/** Unlike the first byte of any message. */
const MARK = Buffer.from("D1", "latin1");
const LENGTH_START = MARK.length;
const KEYS_START = LENGTH_START + 2;

/**
 * @throws EnvelopeError `limit-exceeded` for more than 4,096 bytes, `option-invalid` for none, and what the keyring
 *   throws: `wraps-below-minimum`, `deadline-exceeded`, `aborted`.
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
 * import { encryptDirect } from "@strongroom/envelope/aws-kms-direct";
 *
 * // Your key ARNs; an endpoint only where it is not AWS itself.
 * const keys: { region: string; keyArn: string; endpoint?: string }[] = JSON.parse(process.env["KMS_KEYS"] ?? "[]");
 * const keyring = multiRegionKeyring({
 *   regions: keys.map(({ region, keyArn, ...endpoint }) => {
 *     return { region, keyArn, client: new KMS({ region, maxAttempts: 1, ...endpoint }) };
 *   }),
 *   minimum: 2,
 * });
 *
 * const encryptionContext = { secret: "the mail server's password" };
 * const { wraps } = await encryptDirect(Buffer.from("correct horse"), { keyring, encryptionContext });
 * console.log(wraps.stored.length); // prints: 3
 * ```
 */
export async function encryptDirect(plaintext: Uint8Array, options: DirectOptions): Promise<DirectEncryptResult> {
  if (requireBytes(plaintext, "plaintext").length === 0)
    throw new EnvelopeError("option-invalid", "plaintext must have at least one byte");
  if (plaintext.length > DIRECT_LIMIT_BYTES) {
    throw new EnvelopeError(
      "limit-exceeded",
      `AWS KMS encrypts at most ${DIRECT_LIMIT_BYTES} bytes directly, not ${plaintext.length}: use encrypt`,
    );
  }
  const { keyring, encryptionContext, signal } = resolveOptions(options);
  using secret = SecretBytes.copyOf(plaintext);
  const { encryptedDataKeys, wraps } = await keyring.onEncrypt(
    {
      suite: wrapping(plaintext.length),
      encryptionContext,
      requiredContextKeys: [],
      dataKey: secret,
      encryptedDataKeys: [],
      signingKey: null,
    },
    { signal },
  );
  if (wraps === undefined)
    throw new EnvelopeError("keyring-unsuitable", "Direct encryption needs a multi-region keyring");
  return { sealed: serialize(plaintext.length, encryptedDataKeys), wraps };
}

/**
 * @returns the plaintext, in memory of its own: wipe it when it is done with.
 * @throws EnvelopeError `message-malformed`, `message-truncated`, `message-trailing-bytes`, `limit-exceeded` before any
 *   call; then what the keyring throws. Another context than at encryption ends as `decryption-failed`.
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
 * import { decryptDirect, encryptDirect } from "@strongroom/envelope/aws-kms-direct";
 *
 * // Your key ARNs; an endpoint only where it is not AWS itself.
 * const keys: { region: string; keyArn: string; endpoint?: string }[] = JSON.parse(process.env["KMS_KEYS"] ?? "[]");
 * const keyring = multiRegionKeyring({
 *   regions: keys.map(({ region, keyArn, ...endpoint }) => {
 *     return { region, keyArn, client: new KMS({ region, maxAttempts: 1, ...endpoint }) };
 *   }),
 *   minimum: 2,
 * });
 *
 * const encryptionContext = { secret: "the mail server's password" };
 * const { sealed } = await encryptDirect(Buffer.from("correct horse"), { keyring, encryptionContext });
 * const opened = await decryptDirect(sealed, { keyring, encryptionContext });
 * console.log(Buffer.from(opened).toString()); // prints: correct horse
 * opened.fill(0);
 * ```
 */
export async function decryptDirect(sealed: Uint8Array, options: DirectOptions): Promise<Uint8Array> {
  requireBytes(sealed, "sealed");
  const { keyring, encryptionContext, signal } = resolveOptions(options);
  const { length, encryptedDataKeys } = parse(sealed);
  const { dataKey } = await keyring.onDecrypt(
    // There is no message around it to be accepted by: what the KMS opens under this context, it authenticated.
    { suite: wrapping(length), encryptionContext, requiredContextKeys: [], dataKey: null, accepts: () => true },
    encryptedDataKeys,
    { signal },
  );
  if (dataKey === null) throw new EnvelopeError("decryption-failed", "The keyring returned nothing");
  return dataKey.bytes;
}

const readDirect = objectOf({
  keyring: needed(having<MultiRegionKeyring>("a multi-region keyring", "onEncrypt", "onDecrypt", "probe")),
  encryptionContext: needed(anything),
  signal: option(abortSignal),
} satisfies RowsFor<DirectOptions>);

interface Resolved {
  readonly keyring: MultiRegionKeyring;
  readonly encryptionContext: CanonicalContext;
  readonly signal: AbortSignal | undefined;
}

function resolveOptions(options: DirectOptions): Resolved {
  const values = readOptions(readDirect, options);
  return { ...values, encryptionContext: canonicalContext(values.encryptionContext, DEFAULT_LIMITS) };
}

/** All that the multi-region keyring asks of a suite is how long the thing is that it wraps: here, the string. */
function wrapping(length: number): AlgorithmSuite {
  return {
    ...ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    keyLength: length as AlgorithmSuite["keyLength"],
  };
}

function serialize(length: number, encryptedDataKeys: readonly EncryptedDataKey[]): Buffer {
  const sealed = Buffer.alloc(KEYS_START + encryptedDataKeysLength(encryptedDataKeys, DEFAULT_LIMITS));
  MARK.copy(sealed);
  sealed.writeUInt16BE(length, LENGTH_START);
  writeEncryptedDataKeys(sealed, KEYS_START, encryptedDataKeys);
  return sealed;
}

function parse(sealed: Uint8Array): {
  readonly length: number;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
} {
  const reader = new ByteReader(sealed);
  if (!reader.bytes(MARK.length).equals(MARK))
    throw new EnvelopeError("message-malformed", "These bytes are not a string that was encrypted directly");
  const length = reader.uint16();
  if (length === 0 || length > DIRECT_LIMIT_BYTES)
    throw new EnvelopeError("message-malformed", `A length of ${length} bytes is impossible`);
  const encryptedDataKeys = readEncryptedDataKeys(reader, DEFAULT_LIMITS);
  if (reader.offset !== sealed.length)
    throw new EnvelopeError("message-trailing-bytes", `${sealed.length - reader.offset} bytes follow the end`);
  return { length, encryptedDataKeys };
}
