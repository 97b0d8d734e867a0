/**
 * What the multi-region policy works on: keys that wrap other keys, wherever they live. A provider's adapter makes one
 * of each of its keys (the first is providers/aws-kms/kms-key.ts); the policy knows nothing of a provider but this.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { RegionOperation } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { CallAnswer } from "../resilience/calls.ts";

/** The pairs that a wrap is bound to, in clear. */
export type WrapContext = Record<string, string>;

export interface GeneratedKey {
  readonly dataKey: SecretBytes;
  readonly ciphertext: Uint8Array;
}

export interface UnwrapRequest {
  readonly ciphertext: Uint8Array;
  /** Bytes. A key of another length is `wrong-key-length`. */
  readonly keyLength: number;
  readonly context: WrapContext;
}

export interface RewrapRequest extends UnwrapRequest {
  /** The key that the present wrap is under; may be the same one, whose material was rotated. */
  readonly source: WrappingKey;
  /** What the new wrap is bound to; `context` is the present one's. */
  readonly newContext: WrapContext;
  /** `opened`: the new wrap is opened, and held against what the present one holds, before it is given. */
  readonly proof?: "opened" | "none";
}

/**
 * One wrapping key. Each method is one attempt: no retry and no time-out of its own, but ended by its signal where the
 * provider can end it. None rejects: what fails is classified. An answer is checked before it is given (it must be of
 * the very key that was asked), and whatever secret a refused one held is wiped. An answer names the material of the
 * key that it is of, where the provider tells; `describe`: the one that the key has now.
 */
export interface WrappingKey {
  /** Where it lives; keys of one provider in one region share its quota. */
  readonly region: string;
  /** Its name: in AWS KMS the ARN. */
  readonly keyId: string;
  /** The provider of the encrypted data keys it makes and opens. */
  readonly providerId: string;
  /** What the provider calls each method, in events and errors. */
  readonly operations: Readonly<Record<"generate" | "wrap" | "unwrap" | "rewrap" | "describe", RegionOperation>>;
  /** A new data key of `keyLength` bytes, and its wrap. */
  generate(keyLength: number, context: WrapContext, signal: AbortSignal): Promise<CallAnswer<GeneratedKey>>;
  /** The wrap's ciphertext. The secret stays the caller's, who may have wiped it when a call goes out late. */
  wrap(secret: Uint8Array, context: WrapContext, signal: AbortSignal): Promise<CallAnswer<Uint8Array>>;
  /** The secret is handed over: whoever asked wipes it. */
  unwrap(request: UnwrapRequest, signal: AbortSignal): Promise<CallAnswer<SecretBytes>>;
  /** Whether a wrap under `source` becomes one of this key by one call, without the secret leaving the provider. */
  canReEncrypt(source: WrappingKey): boolean;
  /** Makes a wrap under this key of one under `source`: where the provider can, without the secret leaving it. */
  rewrap(request: RewrapRequest, signal: AbortSignal): Promise<CallAnswer<Uint8Array>>;
  /** Whether the key is there and usable. */
  describe(signal: AbortSignal): Promise<CallAnswer<true>>;
  /** A wrap as a message stores it. */
  stored(ciphertext: Uint8Array): EncryptedDataKey;
  /**
   * Whether a stored wrap is one that this key opens. `replica`: it was made by the same key in another region, so it
   * opens too, but its own comes first. What a message names is matched, never obeyed.
   */
  matches(stored: EncryptedDataKey): "own" | "replica" | null;
}
