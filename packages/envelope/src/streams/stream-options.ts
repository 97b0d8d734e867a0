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
import type { ByteTransform } from "./byte-transform.ts";
import { OpenStream } from "./open-stream.ts";
import type { SignedMessages } from "./open-stream.ts";
import { SealStream } from "./seal-stream.ts";
import type { EncryptStreamResult } from "./seal-stream.ts";
import { StreamLifetime } from "./stream-lifetime.ts";

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

export interface Prepared<Result> {
  readonly transform: ByteTransform;
  readonly lifetime: StreamLifetime<Result>;
}

/** A stream holds a frame, not the plaintext, so its length is bounded only where the caller says so. */
const limits = limitsOption({ ...DEFAULT_LIMITS, plaintextBytes: FORMAT_LIMITS.plaintextBytes });

const readSeal = objectOf({
  ...ENCRYPT_ROWS,
  limits,
  plaintextLengthBound: option(wholeNumber(0, Number.MAX_SAFE_INTEGER, " bytes")),
} satisfies RowsFor<EncryptStreamOptions>);

/** @throws EnvelopeError as encrypt does for its options */
export function prepareSealStream(options: EncryptStreamOptionsUnder<CommitmentPolicy>): Prepared<EncryptStreamResult> {
  const { plaintextLengthBound = null, ...values } = readOptions(readSeal, options);
  const resolved = resolveEncryptValues(values);
  const lifetime = new StreamLifetime<EncryptStreamResult>(resolved.signal);
  const transform = new SealStream({
    ...resolved,
    signal: lifetime.signal,
    plaintextLengthBound,
    onStart: (result) => {
      lifetime.started(result);
    },
  });
  return { transform, lifetime };
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
export function prepareOpenStream(options: DecryptStreamOptions): Prepared<DecryptStreamResult> {
  const { signedMessages, ...values } = readOptions(readOpen, options);
  const resolved = resolveCommon(values);
  const lifetime = new StreamLifetime<DecryptStreamResult>(resolved.signal);
  const transform = new OpenStream({
    ...resolved,
    signal: lifetime.signal,
    signedMessages: signedMessages === "allow" ? "hold-back" : signedMessages,
    onHeader: (opened) => {
      lifetime.started(opened);
    },
  });
  return { transform, lifetime };
}
