/**
 * What was tried and what each key or region answered: the operational half of an error.
 * It names keys and regions, never a key's bytes, a context's values or a service's response text.
 */

/** Why a region could not do its part. The list is closed so that callers can decide by it. */
export type RegionFailureKind =
  | "refused"
  | "timeout"
  | "throttled"
  | "server-error"
  | "access-denied"
  | "credentials"
  | "key-disabled"
  | "key-pending-deletion"
  | "key-not-found"
  | "invalid-ciphertext"
  | "wrong-key-id"
  | "wrong-key-length"
  | "wrong-data-key"
  | "aborted"
  | "unknown";

export type RegionOperation =
  "GenerateDataKey" | "Encrypt" | "Decrypt" | "DescribeKey" | "DeriveSharedSecret" | "GetPublicKey";

/** One failed call to one region. */
export interface RegionAttempt {
  readonly region: string;
  readonly keyArn: string;
  readonly operation: RegionOperation;
  readonly reason: RegionFailureKind;
  /**
   * The class name of what the client threw (`DisabledException`), or null when the answer itself was wrong.
   * The thrown object is not kept: an AWS SDK error may carry the raw response body, and that holds a data key.
   */
  readonly errorName: string | null;
  readonly elapsedMs: number;
}

/** One encrypted data key of a message that could not be opened, and what came of it. */
export interface EncryptedDataKeyReport {
  readonly providerId: string;
  /** The key's name or ARN as far as it is text; hexadecimal for what is not. */
  readonly key: string;
  /** AWS region of the key's ARN, null for keys that are in no region. */
  readonly region: string | null;
  /**
   * `not-configured`: no keyring has this key. `does-not-open`: the key is at hand and does not open it.
   * `key-store-failed`: the key store that has the key failed.
   */
  readonly outcome: "not-configured" | "does-not-open" | "key-store-failed" | RegionFailureKind;
}
