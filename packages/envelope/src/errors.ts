/**
 * The one error class of the package, and what it tells of keys and regions. Its codes are in error-table.ts.
 */
import type { EnvelopeErrorCode } from "./error-table.ts";

/** Longest text of others that an error shows, and longest message, in UTF-16 units. An ARN is far shorter. */
const LONGEST_SHOWN = 256;
const LONGEST_MESSAGE = 8_192;

/** Whatever steers a terminal, breaks a line or does not show. The joiner of emoji is let through. */
const UNSHOWABLE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text that comes from outside (a message, a KMS, a key store) as an error may show it: cut, and with every character
 * that does not print written as `\u{1b}`. Threat answered: a message that fills a log or writes lines of its own.
 */
export function shown(text: string, longest: number = LONGEST_SHOWN): string {
  const kept = text.length <= longest ? text : text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "");
  const escaped = kept.replace(UNSHOWABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
  return kept === text ? escaped : `${escaped}… (${text.length} characters)`;
}

/** The first few of many names from outside, for a message. */
export function shownList(names: readonly string[]): string {
  const listed = names.slice(0, MOST_LISTED).join("; ");
  return names.length <= MOST_LISTED ? listed : `${listed}; and ${names.length - MOST_LISTED} more`;
}

const MOST_LISTED = 16;

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
  | "wrap-does-not-open"
  | "busy"
  | "aborted"
  | "unknown";

/** What a kind of failure means for the region it came from. */
export interface FailureRule {
  /** `all`: one such answer opens the breaker. `none`: it says nothing about the region's health. */
  readonly strikes: "none" | "one" | "all";
  /** Whether somebody has to do something about it: an `alarm` event is published. */
  readonly alarm: boolean;
  /** Whether the region answered untruly and must prove itself several times before it is trusted again. */
  readonly quarantine: boolean;
  /** Whether the same region may be asked again in the same operation, for another encrypted data key. */
  readonly mayAskAgain: boolean;
}

const OUTAGE: FailureRule = { strikes: "one", alarm: false, quarantine: false, mayAskAgain: false };
const KEY_UNUSABLE: FailureRule = { strikes: "all", alarm: true, quarantine: false, mayAskAgain: false };
const LIE: FailureRule = { strikes: "all", alarm: true, quarantine: true, mayAskAgain: false };
const MESSAGE: FailureRule = { strikes: "none", alarm: false, quarantine: false, mayAskAgain: true };

/**
 * The rule behind the table: what may be the fault of a message or of one caller's context never counts against a
 * region, or one tenant could close it for all others.
 */
export const FAILURE_RULES: Readonly<Record<RegionFailureKind, FailureRule>> = {
  refused: OUTAGE,
  timeout: OUTAGE,
  "server-error": OUTAGE,
  unknown: OUTAGE,
  /** The throttle bucket answers for it: a breaker would turn "less" into "nothing". */
  throttled: { ...OUTAGE, strikes: "none" },
  /** The client's credentials are the same for every call. */
  credentials: { ...OUTAGE, alarm: true },
  /** A key policy may depend on the encryption context, so another caller may well be allowed. */
  "access-denied": { ...OUTAGE, strikes: "none", alarm: true },
  "key-disabled": KEY_UNUSABLE,
  "key-pending-deletion": KEY_UNUSABLE,
  "key-not-found": KEY_UNUSABLE,
  "wrong-key-id": LIE,
  "wrong-key-length": LIE,
  /** It wrapped the data key, and does not open the wrap to that key. */
  "wrap-does-not-open": LIE,
  /** The call never went out: this process had as many under way as it may. Nothing is known of the region by it. */
  busy: { strikes: "none", alarm: false, quarantine: false, mayAskAgain: false },
  /** Counted only once another region's key opened the same message: a changed message must not close a region. */
  "wrong-data-key": MESSAGE,
  "invalid-ciphertext": MESSAGE,
  aborted: { ...MESSAGE, mayAskAgain: false },
};

export type RegionOperation =
  "GenerateDataKey" | "Encrypt" | "Decrypt" | "ReEncrypt" | "DescribeKey" | "DeriveSharedSecret" | "GetPublicKey";

/** A call to a KMS that was answered, well or not. */
export interface AnsweredCall {
  readonly region: string;
  readonly keyArn: string;
  readonly operation: RegionOperation;
  /** The id by which the KMS's own log has the call. */
  readonly requestId: string;
}

/** Told of calls as they are answered. What it throws is nobody's: it ends no call. */
export type OnCall = (call: AnsweredCall) => void;

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

/** The same symbol in every copy of this package, in every realm of a process. */
const BRAND = Symbol.for("@strongroom/envelope/EnvelopeError");

/**
 * What every function of this package throws, or rejects with. Its message, and what it tells of keys and contexts, is
 * for people: text from outside is cut and escaped in it (`inspect` has a message's exact data). `cause` is
 * whatever a key store, a keyring or a signal of the caller's own gave, as it was given.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { decrypt, ENVELOPE_ERRORS, isEnvelopeError, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * try {
 *   await decrypt(Buffer.from("not a message"), { keyring, encryptionContext: {} });
 * } catch (error) {
 *   if (!isEnvelopeError(error)) throw error;
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
    super(shown(message, LONGEST_MESSAGE), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const { attempts, encryptedDataKeys, contextKeys, neededBytes } = details;
    if (attempts !== undefined) this.attempts = attempts.map(shownAttempt);
    if (encryptedDataKeys !== undefined) this.encryptedDataKeys = encryptedDataKeys.map(shownReport);
    if (contextKeys !== undefined) this.contextKeys = contextKeys.map((key) => shown(key));
    if (neededBytes !== undefined) this.neededBytes = neededBytes;
  }

  static {
    Object.defineProperty(EnvelopeError.prototype, BRAND, { value: true });
  }
}

function shownAttempt(attempt: RegionAttempt): RegionAttempt {
  return { ...attempt, region: shown(attempt.region), keyArn: shown(attempt.keyArn) };
}

function shownReport({ providerId, key, region, outcome }: EncryptedDataKeyReport): EncryptedDataKeyReport {
  return {
    providerId: shown(providerId),
    key: shown(key),
    region: region === null ? null : shown(region),
    outcome,
  };
}

/**
 * Whether this is an {@link EnvelopeError}, also one of another copy of this package or of another realm (`node:vm`),
 * which `instanceof` does not know.
 *
 * @example
 * ```ts
 * import { inspect, isEnvelopeError } from "@strongroom/envelope";
 *
 * try {
 *   inspect(Buffer.from("not a message"));
 * } catch (error) {
 *   console.log(isEnvelopeError(error) && error.code); // prints: message-malformed
 * }
 * console.log(isEnvelopeError(new Error("something else"))); // prints: false
 * ```
 */
export function isEnvelopeError(error: unknown): error is EnvelopeError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** @throws EnvelopeError `aborted` */
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

export function abortedError(signal: AbortSignal): EnvelopeError {
  return new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason });
}
