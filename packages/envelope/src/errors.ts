/**
 * The one error class of the package, every code it can carry, and what it tells of keys and regions. Cryptographic
 * failure is one opaque code on purpose: telling apart *why* something does not authenticate is an oracle. The page
 * docs/errors.md is held to the table of codes.
 */

/** What an error can be: a closed list, so that callers can decide by it. */
export type EnvelopeErrorCode =
  | "message-malformed"
  | "message-truncated"
  | "message-trailing-bytes"
  | "suite-unsupported"
  | "commitment-policy"
  | "limit-exceeded"
  | "option-invalid"
  | "context-mismatch"
  | "decryption-failed"
  | "no-matching-key"
  | "wrap-failed"
  | "keyring-unsuitable"
  | "branch-key-unavailable"
  | "regions-unavailable"
  | "wraps-below-minimum"
  | "deadline-exceeded"
  | "aborted"
  | "worker-failed"
  | "secret-wiped";

/**
 * What a code stands for. `outcome` says how it ends a command and `status` with which HTTP status a service would
 * answer: 500 where the state of what is stored or configured is wrong, which no caller can change.
 */
export interface EnvelopeErrorRow {
  /** What happened, in a few words that never change with the input. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  readonly outcome:
    "failure" | "usage" | "absent" | "conflict" | "refused" | "not-allowed" | "unavailable" | "interrupted";
  readonly status: number;
}

/** Code -> what it stands for. */
export const ENVELOPE_ERRORS: Readonly<Record<EnvelopeErrorCode, EnvelopeErrorRow>> = {
  "message-malformed": {
    title: "The bytes are not a valid message",
    remedy:
      "Check that the whole message was stored and read as bytes (not as text or base64) and that nothing rewrote " +
      "it.",
    outcome: "refused",
    status: 500,
  },
  "message-truncated": {
    title: "The message ends too early",
    remedy: "Read the message again from its source; its end is missing.",
    outcome: "refused",
    status: 500,
  },
  "message-trailing-bytes": {
    title: "Bytes follow the end of the message",
    remedy: "Store and pass each message by itself; something was appended to it.",
    outcome: "refused",
    status: 500,
  },
  "suite-unsupported": {
    title: "The message names an unknown algorithm suite",
    remedy: "Check that the bytes are an AWS Encryption SDK message; if so, update this library.",
    outcome: "refused",
    status: 500,
  },
  "commitment-policy": {
    title: "The commitment policy forbids this algorithm suite",
    remedy: "To read old messages without key commitment set commitmentPolicy to 'require-encrypt-allow-decrypt'.",
    outcome: "refused",
    status: 500,
  },
  "limit-exceeded": {
    title: "The message or the input is larger than a configured limit",
    remedy: "If the size is legitimate, raise the limit named in the message through the `limits` option.",
    outcome: "usage",
    status: 413,
  },
  "option-invalid": {
    title: "An option has a value that cannot work",
    remedy: "Correct the options named in the message.",
    outcome: "usage",
    status: 500,
  },
  "context-mismatch": {
    title: "The message was made for another encryption context",
    remedy:
      "Compare the context keys listed on the error with what the writer used. A moved or swapped message ends here " +
      "too.",
    outcome: "refused",
    status: 500,
  },
  "decryption-failed": {
    title: "The message does not authenticate",
    remedy:
      "The message was changed, or its data key is not the one it was made with. Restore the message from a trusted " +
      "copy.",
    outcome: "refused",
    status: 500,
  },
  "no-matching-key": {
    title: "No configured key belongs to this message",
    remedy: "The error lists the keys the message is encrypted for: configure one of them.",
    outcome: "usage",
    status: 500,
  },
  "wrap-failed": {
    title: "A key could not wrap or make the data key",
    remedy: "Read the cause: the wrapping key refused. Nothing was encrypted.",
    outcome: "failure",
    status: 500,
  },
  "keyring-unsuitable": {
    title: "The keyring cannot do what it was asked for",
    remedy:
      "Some keyrings only encrypt, only decrypt, or refuse some suites: use the keyring, key or suite that the " +
      "message names.",
    outcome: "usage",
    status: 500,
  },
  "branch-key-unavailable": {
    title: "A branch key could not be had from its key store",
    remedy: "Read the cause, which is the key store's own error. A branch key that was erased cannot be had again.",
    outcome: "unavailable",
    status: 503,
  },
  "regions-unavailable": {
    title: "No region could unwrap the data key",
    remedy: "The attempts say what each region answered; bring one of them back or restore access to its key.",
    outcome: "unavailable",
    status: 503,
  },
  "wraps-below-minimum": {
    title: "Fewer regions than the minimum wrapped the data key",
    remedy: "Nothing was encrypted. The attempts say what each region answered; retry when enough of them are back.",
    outcome: "unavailable",
    status: 503,
  },
  "deadline-exceeded": {
    title: "The overall deadline passed",
    remedy: "The attempts say which regions were slow. Retry, or raise deadlineMs if the regions are that far away.",
    outcome: "unavailable",
    status: 503,
  },
  aborted: {
    title: "The caller aborted the operation",
    remedy: "Nothing to do: the AbortSignal passed in was triggered.",
    outcome: "interrupted",
    status: 499,
  },
  "worker-failed": {
    title: "A worker thread could not do its part",
    remedy:
      "Nothing was released. Use framing workers only until they are closed; read the cause if a thread ended by " +
      "itself. A bundler must leave this package outside (external): threads start from a file of it.",
    outcome: "failure",
    status: 500,
  },
  "secret-wiped": {
    title: "A key was used after it was wiped",
    remedy: "Do not use a keyring or a secret after disposing of it.",
    outcome: "failure",
    status: 500,
  },
};

// What was tried and what each key or region answered: the operational half of an error. It names keys and regions,
// never a key's bytes, a context's values or a service's response text.

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

export interface EnvelopeErrorDetails {
  readonly cause?: unknown;
  readonly attempts?: readonly RegionAttempt[];
  readonly encryptedDataKeys?: readonly EncryptedDataKeyReport[];
  readonly contextKeys?: readonly string[];
  readonly neededBytes?: number;
}

/**
 * What every function of this package throws, or rejects with.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { decrypt, ENVELOPE_ERRORS, EnvelopeError, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * try {
 *   await decrypt(Buffer.from("not a message"), { keyring, encryptionContext: {} });
 * } catch (error) {
 *   if (!(error instanceof EnvelopeError)) throw error;
 *   console.log(error.code, ENVELOPE_ERRORS[error.code].outcome); // prints: message-malformed refused
 * }
 * ```
 */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
  readonly code: EnvelopeErrorCode;
  /** What each region said, in the order asked. */
  readonly attempts?: readonly RegionAttempt[];
  /** The message's encrypted data keys and what came of each, when none could be opened. */
  readonly encryptedDataKeys?: readonly EncryptedDataKeyReport[];
  /** Context keys that differ (`context-mismatch`); their values are never given. */
  readonly contextKeys?: readonly string[];
  /** How long the input must at least be before parsing can go on (`message-truncated`). */
  readonly neededBytes?: number;

  constructor(code: EnvelopeErrorCode, message: string, details: EnvelopeErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.attempts !== undefined) this.attempts = details.attempts;
    if (details.encryptedDataKeys !== undefined) this.encryptedDataKeys = details.encryptedDataKeys;
    if (details.contextKeys !== undefined) this.contextKeys = details.contextKeys;
    if (details.neededBytes !== undefined) this.neededBytes = details.neededBytes;
  }
}

/** @throws EnvelopeError `aborted` */
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

export function abortedError(signal: AbortSignal): EnvelopeError {
  return new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason });
}
