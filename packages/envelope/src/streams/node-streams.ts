/**
 * Encrypt and decrypt as Node streams: `pipeline(source, createEncryptStream(options), target)`.
 */
import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";
import { EnvelopeError } from "../errors.ts";
import type { CommitmentPolicy, DefaultPolicy } from "../materials/materials-manager.ts";
import { requireBytes } from "../options.ts";
import type { Pieces } from "./byte-transform.ts";
import type { EncryptStreamResult } from "./seal-stream.ts";
import { prepareOpenStream, prepareSealStream } from "./stream-options.ts";
import type {
  DecryptStreamOptions,
  DecryptStreamResult,
  EncryptStreamOptionsUnder,
  Prepared,
} from "./stream-options.ts";

export interface NodeEncryptStream extends Transform {
  /** Settles when the header is written. */
  readonly result: Promise<EncryptStreamResult>;
}

export interface NodeDecryptStream extends Transform {
  /** Settles when the header is verified; says nothing yet of the body. */
  readonly result: Promise<DecryptStreamResult>;
}

/**
 * Encrypts what is written into one message.
 *
 * @throws EnvelopeError for options; later errors go through the stream.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { Readable } from "node:stream";
 * import { buffer } from "node:stream/consumers";
 * import { createEncryptStream, inspect, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const encrypting = createEncryptStream({ keyring, encryptionContext: { file: "film.mp4" }, frameLength: 65_536 });
 * const message = await buffer(Readable.from([randomBytes(100_000)]).pipe(encrypting));
 * console.log(inspect(message).body); // prints: { frames: 2, plaintextLength: 100000 }
 * ```
 */
export function createEncryptStream<Policy extends CommitmentPolicy = DefaultPolicy>(
  options: EncryptStreamOptionsUnder<Policy>,
): NodeEncryptStream {
  return nodeStream(prepareSealStream(options));
}

/**
 * Decrypts one message. What comes out is authenticated, frame by frame; that it is *all* is certain only when the
 * stream ends without an error.
 *
 * @throws EnvelopeError for options; later errors go through the stream.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { Readable } from "node:stream";
 * import { text } from "node:stream/consumers";
 * import { pipeline } from "node:stream/promises";
 * import { createDecryptStream, encrypt, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const encryptionContext = { file: "note.txt" };
 * const { message } = await encrypt(Buffer.from("a note"), { keyring, encryptionContext });
 *
 * const decrypting = createDecryptStream({ keyring, encryptionContext });
 * const [note] = await Promise.all([text(decrypting), pipeline(Readable.from([message]), decrypting)]);
 * console.log(note); // prints: a note
 * ```
 */
export function createDecryptStream(options: DecryptStreamOptions): NodeDecryptStream {
  return nodeStream(prepareOpenStream(options));
}

function nodeStream<R>({ transform, lifetime }: Prepared<R>): Transform & { readonly result: Promise<R> } {
  let complete = false;
  /** Runs one step and hands its pieces on; without a detour over promises when the step needs none. */
  const run = (work: () => Pieces | Promise<Pieces>, done: TransformCallback): void => {
    const emit = (pieces: Pieces): void => {
      lifetime.deliver(pieces, (piece) => stream.push(piece));
      done();
    };
    try {
      const pieces = work();
      if (pieces instanceof Promise) pieces.then(emit).catch(done);
      else emit(pieces);
    } catch (error) {
      done(error as Error);
    }
  };
  const stream = new Transform({
    transform(chunk: unknown, _encoding, done) {
      run(() => transform.push(requireBytes(chunk, "A chunk of the stream")), done);
    },
    flush(done) {
      run(
        () => transform.end(),
        (error) => {
          complete = error === undefined;
          done(error);
        },
      );
    },
    destroy(error, done) {
      if (complete && error === null) lifetime.finish();
      else lifetime.end(error ?? new EnvelopeError("aborted", "The stream was closed early"));
      done(error);
    },
  });
  lifetime.onEnd((reason) => {
    transform.abandon();
    // Not at once: who is given a stream that was aborted before it began has to get hold of it first.
    queueMicrotask(() => stream.destroy(reason as Error));
  });
  return Object.assign(stream, { result: lifetime.result });
}
