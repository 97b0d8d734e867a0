/**
 * Options of the streaming API, and how they become a SealStream or an OpenStream.
 */
import { DEFAULT_LIMITS, FORMAT_LIMITS, limitsOption } from "../format/suites.ts";
import type { CommitmentPolicy } from "../materials/materials-manager.ts";
import type { OpenedMessage } from "../message/decrypt.ts";
import { ENCRYPT_ROWS, READ_ROWS, resolveCommon, resolveEncryptValues } from "../message/options.ts";
import type { EncryptOptions, EncryptOptionsUnder, ReadOptions } from "../message/options.ts";
import { objectOf, oneOf, option, readOptions, wholeNumber } from "../options.ts";
import type { RowsFor } from "../options.ts";
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

export type DecryptStreamOptions = ReadOptions & {
  /** `hold-back` unless said otherwise; `allow`, decrypt's word for its default, is the same. */
  readonly signedMessages?: SignedMessages | "allow";
};

/** What is known of a message once its header is verified. */
export type DecryptStreamResult = OpenedMessage;

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
const limits = limitsOption({ ...DEFAULT_LIMITS, plaintextBytes: FORMAT_LIMITS.plaintextBytes });

const readSeal = objectOf({
  ...ENCRYPT_ROWS,
  limits,
  plaintextLengthBound: option(wholeNumber(0, Number.MAX_SAFE_INTEGER, " bytes")),
} satisfies RowsFor<EncryptStreamOptions>);

/** @throws EnvelopeError as encrypt does for its options */
export function prepareSealStream(
  options: EncryptStreamOptionsUnder<CommitmentPolicy>,
): Prepared<SealStream, EncryptStreamResult> {
  const { plaintextLengthBound = null, ...values } = readOptions(readSeal, options);
  const resolved = resolveEncryptValues(values);
  const result = deferred<EncryptStreamResult>();
  const transform = new SealStream({ ...resolved, plaintextLengthBound, onStart: result.resolve });
  return { transform, outcome: result, signal: resolved.signal };
}

const readOpen = objectOf({
  ...READ_ROWS,
  limits,
  signedMessages: option(
    oneOf(["hold-back", "allow", "refuse", "require", "release-plaintext-before-its-signature-is-verified"]),
    "hold-back",
  ),
} satisfies RowsFor<DecryptStreamOptions>);

/** @throws EnvelopeError as decrypt does for its options */
export function prepareOpenStream(options: DecryptStreamOptions): Prepared<OpenStream, DecryptStreamResult> {
  const { signedMessages, ...values } = readOptions(readOpen, options);
  const resolved = resolveCommon(values);
  const result = deferred<DecryptStreamResult>();
  return {
    transform: new OpenStream({
      ...resolved,
      signedMessages: signedMessages === "allow" ? "hold-back" : signedMessages,
      onHeader: result.resolve,
    }),
    outcome: result,
    signal: resolved.signal,
  };
}
