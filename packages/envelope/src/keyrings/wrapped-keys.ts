/**
 * Keys that are kept wrapped, apart from any message: made, wrapped and opened by a keyring as data keys are
 * (framework/branch-key-store.md keeps branch keys so). Whoever keeps them keeps the wraps and what tells the right key
 * from another.
 */
import { hmac } from "../crypto/key-derivation.ts";
import { SecretBytes, sharedBytes } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import type { OnCall } from "../errors.ts";
import { canonicalContext } from "../format/encryption-context.ts";
import type { CanonicalContext, EncryptionContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { DEFAULT_LIMITS } from "../format/suites.ts";
import { abortSignal, anything, needed, objectOf, option, readOptions, text, thatIs, toldOfCalls } from "../options.ts";
import type { Reader, Rows, RowsFor } from "../options.ts";
import { KEY_LENGTH, SUITE } from "./kept-keys.ts";
import { keyringOption } from "./keyring.ts";
import type { DecryptionMaterials, EncryptionMaterials, Keyring, KeyringCall, WrapReport } from "./keyring.ts";

/** How a key is wrapped. */
export interface WrappingOptions {
  readonly keyring: Keyring;
  /** What every wrap is bound to. */
  readonly encryptionContext: EncryptionContext;
  /** Name of an entry that each wrapping key adds, with its own ARN as the value. */
  readonly keyArnEntry?: string;
  readonly signal?: AbortSignal;
  /** Told of each call to a KMS that is answered while it is waited for. */
  readonly onCall?: OnCall;
}

/** How a key is opened. */
export interface UnwrappingOptions extends WrappingOptions {
  /** Tells the right key: a region that answers another one costs a try, and the next is asked. */
  readonly accepts: (candidate: Uint8Array) => boolean;
  /** Leaves wraps under public keys alone, which anybody could have made of a key of his own; false when left out. */
  readonly secretKeysOnly?: boolean;
}

/** The wraps of a key. */
export interface KeyWraps {
  readonly wraps: readonly EncryptedDataKey[];
  /** Which regions have one and which owe one; null when the keyring does not report. */
  readonly report: WrapReport | null;
}

/** A key that was just made. Whoever gets it wipes it. */
export interface MadeKey extends KeyWraps {
  readonly key: SecretBytes;
}

/** A key that was opened. Whoever gets it wipes it. */
export interface UnwrappedKey extends Pick<DecryptionMaterials, "openedBy" | "refused"> {
  readonly key: SecretBytes;
}

/**
 * A new key of 32 bytes, and its wraps.
 *
 * @throws EnvelopeError `option-invalid`, and as the keyring's onEncrypt does
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const options = { keyring, encryptionContext: { purpose: "backups" } };
 * const made = await makeKey(options);
 * const opened = await unwrapKey(made.wraps, { ...options, accepts: (key) => key.length === 32 });
 * console.log(opened.key.bytes.equals(made.key.bytes)); // prints: true
 * made.key.wipe();
 * opened.key.wipe();
 * ```
 */
export async function makeKey(options: WrappingOptions): Promise<MadeKey> {
  const { materials, wraps } = await wrapped(options, null);
  const { dataKey } = materials;
  if (dataKey?.length === KEY_LENGTH) return { key: dataKey, ...wraps };
  dataKey?.wipe();
  throw new EnvelopeError("wrap-failed", `The keyring made no key of ${KEY_LENGTH} bytes`);
}

/**
 * Wraps of a key that is there. It stays the caller's.
 *
 * @throws EnvelopeError `option-invalid`, and as the keyring's onEncrypt does
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { randomSecret, wrapKey } from "@strongroom/envelope/keyrings";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2027-01", wrappingKey: randomBytes(32) });
 * using key = randomSecret(32);
 * const { wraps } = await wrapKey(key, { keyring, encryptionContext: { purpose: "backups" } });
 * console.log(wraps.length, key.wiped); // prints: 1 false
 * ```
 */
export async function wrapKey(key: SecretBytes, options: WrappingOptions): Promise<KeyWraps> {
  if (!(key instanceof SecretBytes) || key.length !== KEY_LENGTH)
    throw new EnvelopeError("option-invalid", `the key must be ${KEY_LENGTH} bytes as SecretBytes`);
  using given = key.share();
  return (await wrapped(options, given)).wraps;
}

/**
 * Opens a key by the first of its wraps that can be opened to a key which is accepted.
 *
 * @throws EnvelopeError `option-invalid`, and as the keyring's onDecrypt does
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { isEnvelopeError, rawAesKeyring } from "@strongroom/envelope";
 * import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const options = { keyring, encryptionContext: { purpose: "backups" } };
 * const { key, wraps } = await makeKey(options);
 * key.wipe();
 * const refused = unwrapKey(wraps, { ...options, accepts: () => false });
 * console.log(await refused.catch((error) => isEnvelopeError(error) && error.code)); // prints: decryption-failed
 * ```
 */
export async function unwrapKey(wraps: readonly EncryptedDataKey[], options: UnwrappingOptions): Promise<UnwrappedKey> {
  const { accepts, secretKeysOnly, ...values } = readOptions(readUnwrapping, options);
  const { keyring, encryptionContext, call } = checked(values);
  requireNotAborted(call.signal);
  const { dataKey, openedBy, refused } = await keyring.onDecrypt(
    { suite: SUITE, encryptionContext, requiredContextKeys: [], dataKey: null, accepts },
    wraps,
    { ...call, secretKeysOnly },
  );
  if (dataKey !== null && accepts(sharedBytes(dataKey)))
    return { key: dataKey, openedBy, ...(refused === undefined ? {} : { refused }) };
  dataKey?.wipe();
  throw new EnvelopeError("decryption-failed", "The keyring returned no key that is accepted");
}

/**
 * HMAC-SHA-256 of bytes under a key: by which a key is known again, or by which a text is found without being read.
 * Nothing of the key is left behind.
 *
 * @example
 * ```ts
 * import { keyedHash, SecretBytes } from "@strongroom/envelope/keyrings";
 *
 * using key = new SecretBytes(Buffer.alloc(32, 1));
 * console.log(keyedHash(key, Buffer.from("Ada")).length); // prints: 32
 * ```
 */
export function keyedHash(key: SecretBytes | Uint8Array, bytes: Uint8Array): Buffer {
  return hmac("sha256", key instanceof SecretBytes ? sharedBytes(key) : key, bytes);
}

async function wrapped(
  options: WrappingOptions,
  dataKey: SecretBytes | null,
): Promise<{ readonly materials: EncryptionMaterials; readonly wraps: KeyWraps }> {
  const { keyring, encryptionContext, call } = checked(readOptions(readWrapping, options));
  requireNotAborted(call.signal);
  const materials = await keyring.onEncrypt(
    { suite: SUITE, encryptionContext, requiredContextKeys: [], dataKey, encryptedDataKeys: [], signingKey: null },
    call,
  );
  const { encryptedDataKeys, wraps: report = null } = materials;
  if (encryptedDataKeys.length > 0) return { materials, wraps: { wraps: encryptedDataKeys, report } };
  if (dataKey === null) materials.dataKey?.wipe();
  throw new EnvelopeError("wrap-failed", "The keyring gave no wrap of the key");
}

/** What every call here is made with. */
export interface Resolved {
  readonly keyring: Keyring;
  readonly encryptionContext: CanonicalContext;
  readonly call: KeyringCall;
}

/** {@link WrappingOptions} as they are read. */
export interface WrappingValues {
  readonly keyring: Keyring;
  readonly encryptionContext: unknown;
  readonly keyArnEntry: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onCall: OnCall | undefined;
}

export const WRAPPING_ROWS: Rows<WrappingValues> = {
  keyring: needed(keyringOption),
  encryptionContext: needed(anything),
  keyArnEntry: option(text),
  signal: option(abortSignal),
  onCall: option(toldOfCalls),
} satisfies RowsFor<WrappingOptions>;

/** The option `accepts`. */
export const accepting: Reader<UnwrappingOptions["accepts"]> = thatIs(
  (value): value is UnwrappingOptions["accepts"] => typeof value === "function",
  "a function",
);

const yesOrNo: Reader<boolean> = thatIs((value): value is boolean => typeof value === "boolean", "true or false");

const readWrapping = objectOf(WRAPPING_ROWS);
const readUnwrapping = objectOf({
  ...WRAPPING_ROWS,
  accepts: needed(accepting),
  secretKeysOnly: option(yesOrNo, false),
} satisfies RowsFor<UnwrappingOptions>);

/** @throws EnvelopeError `option-invalid` and what a context can be wrong by */
export function checked({ keyring, encryptionContext: given, keyArnEntry, signal, onCall }: WrappingValues): Resolved {
  const encryptionContext = canonicalContext(given, DEFAULT_LIMITS);
  // It would be replaced in silence, and the wraps be bound to less than was meant.
  if (encryptionContext.pairs.some(([name]) => name === keyArnEntry))
    throw new EnvelopeError("option-invalid", "encryptionContext has the entry that keyArnEntry names");
  return { keyring, encryptionContext, call: { signal, keyArnEntry, onCall } };
}
