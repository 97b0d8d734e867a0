/**
 * Options of the streaming API, and how they become a SealStream or an OpenStream.
 */
import { EnvelopeError } from "../errors.ts";
import type { EncryptionContext } from "../format/encryption-context.ts";
import type { MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/suites.ts";
import type { CommitmentPolicy } from "../materials/materials-manager.ts";
import { resolveDecryptOptions, resolveEncryptOptions } from "../message/options.ts";
import type { DecryptOptions, EncryptOptions, EncryptOptionsUnder } from "../message/options.ts";
import { OpenStream } from "./open-stream.ts";
import type { SignedMessages } from "./open-stream.ts";
import { SealStream } from "./seal-stream.ts";
import type { EncryptStreamResult } from "./seal-stream.ts";

interface StreamLength {
  /**
   * The most bytes the stream will have; more is an error. Materials caches pass over streams without it
   * (client-apis/encrypt.md, "Plaintext Length Bound").
   */
  readonly plaintextLengthBound?: number;
}

/** Options of the encrypt streams under one policy, as encrypt has them. */
export type EncryptStreamOptionsUnder<Policy extends CommitmentPolicy> = EncryptOptionsUnder<Policy> & StreamLength;

export type EncryptStreamOptions = EncryptOptions & StreamLength;

export type DecryptStreamOptions = DecryptOptions & {
  /** `hold-back` unless said otherwise. */
  readonly signedMessages?: SignedMessages;
};

/** What is known of a message once its header is verified. */
export interface DecryptStreamResult {
  readonly encryptionContext: EncryptionContext;
}

/** A promise for the caller that is no unhandled rejection when the caller does not look at it. */
interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

export interface Prepared<Transform, Result> {
  readonly transform: Transform;
  readonly outcome: Deferred<Result>;
  readonly signal: AbortSignal | undefined;
}

function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** A stream holds a frame, not the plaintext, so its length is bounded only where the caller says so. */
const STREAM_LIMITS = { plaintextBytes: FORMAT_LIMITS.plaintextBytes } as const;

/** @throws EnvelopeError as encrypt does for its options */
export function prepareSealStream(
  options: EncryptStreamOptionsUnder<CommitmentPolicy>,
): Prepared<SealStream, EncryptStreamResult> {
  const { plaintextLengthBound = null } = options;
  if (plaintextLengthBound !== null && (!Number.isSafeInteger(plaintextLengthBound) || plaintextLengthBound < 0)) {
    throw new EnvelopeError("option-invalid", "plaintextLengthBound must be a whole number of bytes");
  }
  const resolved = resolveEncryptOptions({ ...options, limits: { ...STREAM_LIMITS, ...options.limits } });
  const result = deferred<EncryptStreamResult>();
  const transform = new SealStream({ ...resolved, plaintextLengthBound, onStart: result.resolve });
  return { transform, outcome: result, signal: resolved.signal };
}

const SIGNED_MESSAGES: ReadonlySet<SignedMessages> = new Set<SignedMessages>([
  "hold-back",
  "refuse",
  "release-plaintext-before-its-signature-is-verified",
]);

/** @throws EnvelopeError as decrypt does for its options */
export function prepareOpenStream(options: DecryptStreamOptions): Prepared<OpenStream, DecryptStreamResult> {
  const { signedMessages = "hold-back" } = options;
  if (!SIGNED_MESSAGES.has(signedMessages))
    throw new EnvelopeError("option-invalid", "signedMessages is not one of its choices");
  const resolved = resolveDecryptOptions({ ...options, limits: { ...STREAM_LIMITS, ...options.limits } });
  const result = deferred<DecryptStreamResult>();
  const onHeader = (_header: MessageHeader): void => {
    result.resolve({ encryptionContext: resolved.context.given });
  };
  return {
    transform: new OpenStream({ ...resolved, signedMessages, onHeader }),
    outcome: result,
    signal: resolved.signal,
  };
}
