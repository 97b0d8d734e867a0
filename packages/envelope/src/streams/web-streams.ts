/**
 * Encrypt and decrypt as web streams: `readable.pipeThrough(encryptStream(options))`.
 */
import { ReadableStream, WritableStream } from "node:stream/web";
import type {
  ReadableStreamDefaultController,
  ReadableWritablePair,
  WritableStreamDefaultController,
} from "node:stream/web";
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

/** Streams Standard, section 5.4; @types/node leaves `signal` out. */
interface WritableController extends WritableStreamDefaultController {
  readonly signal: AbortSignal;
}

type Pair = ReadableWritablePair<Uint8Array, Uint8Array>;

export interface EncryptStream extends Pair {
  /** Settles when the header is written. */
  readonly result: Promise<EncryptStreamResult>;
}

export interface DecryptStream extends Pair {
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

/**
 * A pair and no TransformStream, which hears of an abort only when the write under way is done, and that may be waiting
 * for a keyring. The writable end's queue is one chunk, the readable end's none: a reader that stops, stops the writer.
 */
function webStream<R>({ transform, lifetime }: Prepared<R>): Pair & { readonly result: Promise<R> } {
  let target!: ReadableStreamDefaultController<Uint8Array>;
  let source!: WritableController;
  /** Settles when somebody reads. */
  let wanted: PromiseWithResolvers<void> = Promise.withResolvers();
  const run = async (work: () => Pieces | Promise<Pieces>): Promise<void> => {
    try {
      const made = work();
      const pieces = made instanceof Promise ? await made : made;
      // Renewed before the first piece is handed on: another read may be waiting already, and says so only once.
      if (pieces.length > 0) wanted = Promise.withResolvers();
      lifetime.deliver(pieces, (piece) => {
        target.enqueue(piece);
      });
    } catch (error) {
      lifetime.end(error);
      throw error;
    }
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        target = controller;
      },
      pull() {
        wanted.resolve();
      },
      cancel(reason: unknown) {
        lifetime.end(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      source = controller as WritableController;
    },
    async write(chunk) {
      await wanted.promise;
      await run(() => transform.push(requireBytes(chunk, "A chunk of the stream")));
    },
    async close() {
      await run(() => transform.end());
      lifetime.finish();
      target.close();
    },
  });
  const { signal } = source;
  signal.addEventListener("abort", () => {
    lifetime.end(signal.reason);
  });
  lifetime.onEnd((reason) => {
    transform.abandon();
    wanted.resolve();
    target.error(reason);
    source.error(reason);
  });
  return { readable, writable, result: lifetime.result };
}
