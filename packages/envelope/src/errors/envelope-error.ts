/**
 * The one error class of the package. Cryptographic failure is one opaque code on purpose: telling apart *why*
 * something does not authenticate is an oracle. Operational causes are readonly data.
 */
import type { EncryptedDataKeyReport, RegionAttempt } from "./attempts.ts";
import type { EnvelopeErrorCode } from "./catalogue.ts";

export interface EnvelopeErrorDetails {
  readonly cause?: unknown;
  readonly attempts?: readonly RegionAttempt[];
  readonly encryptedDataKeys?: readonly EncryptedDataKeyReport[];
  readonly contextKeys?: readonly string[];
  readonly neededBytes?: number;
}

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
