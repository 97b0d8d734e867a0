/**
 * Encrypt and decrypt as web streams: `readable.pipeThrough(encryptStream(options))`.
 */
import { TransformStream } from "node:stream/web";
import { EnvelopeError } from "../errors.ts";
import type { CommitmentPolicy, DefaultPolicy } from "../materials/materials-manager.ts";
import { requireBytes } from "../options.ts";
import type { ByteTransform, Pieces } from "./byte-transform.ts";
import type { EncryptStreamResult } from "./seal-stream.ts";
import { prepareOpenStream, prepareSealStream } from "./stream-options.ts";
import type {
  DecryptStreamOptions,
  DecryptStreamResult,
  EncryptStreamOptionsUnder,
  Prepared,
} from "./stream-options.ts";

export interface EncryptStream extends TransformStream<Uint8Array, Uint8Array> {
  /** Settles when the header is written. */
  readonly result: Promise<EncryptStreamResult>;
}

export interface DecryptStream extends TransformStream<Uint8Array, Uint8Array> {
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
 * import { buffer } from "node:stream/consumers";
 * import { encryptStream, inspect, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const report = new Blob(["a report\n".repeat(10_000)]);
 * const sealed = report.stream().pipeThrough(encryptStream({ keyring, encryptionContext: { file: "report.txt" } }));
 * console.log(inspect(await buffer(sealed)).body); // prints: { frames: 22, plaintextLength: 90000 }
 * ```
 */
export function encryptStream<Policy extends CommitmentPolicy = DefaultPolicy>(
  options: EncryptStreamOptionsUnder<Policy>,
): EncryptStream {
  return webStream(prepareSealStream(options));
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
 * import { text } from "node:stream/consumers";
 * import { decryptStream, encryptStream, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const options = { keyring, encryptionContext: { file: "note.txt" } };
 * const sealed = new Blob(["a note"]).stream().pipeThrough(encryptStream(options));
 * console.log(await text(sealed.pipeThrough(decryptStream(options)))); // prints: a note
 * ```
 */
export function decryptStream(options: DecryptStreamOptions): DecryptStream {
  return webStream(prepareOpenStream(options));
}

function webStream<R>({
  transform,
  outcome,
  signal,
}: Prepared<ByteTransform, R>): TransformStream<Uint8Array, Uint8Array> & { readonly result: Promise<R> } {
  let stopListening = (): void => undefined;
  const fail = (error: unknown): never => {
    transform.abandon();
    stopListening();
    outcome.reject(error);
    throw error;
  };
  const run = async (work: () => Pieces | Promise<Pieces>, emit: (piece: Uint8Array) => void): Promise<void> => {
    try {
      for (const piece of await work()) emit(piece);
    } catch (error) {
      fail(error);
    }
  };
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      const onAbort = (): void => {
        const error = new EnvelopeError("aborted", "The stream was aborted", { cause: signal?.reason });
        transform.abandon();
        outcome.reject(error);
        controller.error(error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      stopListening = () => signal?.removeEventListener("abort", onAbort);
    },
    transform: (chunk, controller) =>
      run(
        () => transform.push(requireBytes(chunk, "A chunk of the stream")),
        (piece) => {
          controller.enqueue(piece);
        },
      ),
    flush: async (controller) => {
      await run(
        () => transform.end(),
        (piece) => {
          controller.enqueue(piece);
        },
      );
      stopListening();
    },
  });
  return Object.assign(stream, { result: outcome.promise });
}
