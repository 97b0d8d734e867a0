/**
 * @strongroom/envelope/workers: worker threads that seal and open the frames of large messages side by side. Frames are
 * independent of each other, so the message is the same as one thread's to the last byte but its random id.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { EnvelopeError } from "./errors.ts";
import { framingRuns } from "./framing-runs.ts";
import type { FramingRun, FramingTask, TaskOutcome } from "./framing-thread.ts";
import type { FrameWork, FrameWorkers } from "./message/options.ts";
import { isShared, objectOf, option, readOptions, wholeNumber } from "./options.ts";
import type { RowsFor } from "./options.ts";

export type { FrameWork, FrameWorkers } from "./message/options.ts";

/** Threads for the `workers` option of encrypt and decrypt. Share them between calls; close them at the end. */
export interface FramingWorkers extends FrameWorkers, AsyncDisposable {
  readonly threads: number;
  /** Ends the threads. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FramingWorkersOptions {
  /** Threads to start, at the first large message; one for each processor by default. */
  readonly threads?: number;
}

/** From this many bytes of plaintext on, dividing the work pays for handing it over. */
export const PARALLEL_FROM_BYTES: number = 4 * 1024 * 1024;

/** More threads than any machine has processors: each is a heap of its own. */
const MOST_THREADS = 1_024;

const readWorkers = objectOf({
  threads: option(wholeNumber(1, MOST_THREADS)),
} satisfies RowsFor<FramingWorkersOptions>);

const KEEP_OUTSIDE =
  "worker threads are started from a file of @strongroom/envelope: when you bundle, mark that package as external";

/**
 * Worker threads for the `workers` option of encrypt and decrypt.
 *
 * @throws EnvelopeError `option-invalid`; `worker-failed` where a bundler has taken this package into a CommonJS file,
 *   in which no module knows its own place.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
 * import { framingWorkers } from "@strongroom/envelope/workers";
 *
 * await using workers = framingWorkers({ threads: 2 });
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const options = { keyring, encryptionContext: { file: "film.mp4" }, workers };
 *
 * const film = randomBytes(8_000_000);
 * const { message } = await encrypt(film, { ...options, frameLength: 65_536 });
 * const { plaintext } = await decrypt(message, options);
 * console.log(film.equals(plaintext)); // prints: true
 * ```
 */
export function framingWorkers(options: FramingWorkersOptions = {}): FramingWorkers {
  const { threads = availableParallelism() } = readOptions(readWorkers, options);
  return new WorkerPool(threads, threadFile());
}

/** Sources run as TypeScript, the published package as JavaScript. Not asked before workers are wanted. */
function threadFile(): URL {
  const here = import.meta.url as string | undefined;
  if (here === undefined) throw new EnvelopeError("worker-failed", `No place to start from: ${KEEP_OUTSIDE}`);
  return new URL(here.endsWith(".ts") ? "./framing-thread.ts" : "./framing-thread.js", here);
}

class WorkerPool implements FramingWorkers {
  readonly threads: number;
  readonly #file: URL;
  readonly #idle: WorkerThread[] = [];
  readonly #all = new Set<WorkerThread>();
  readonly #waiting: ((thread: WorkerThread) => void)[] = [];
  #closed = false;

  constructor(threads: number, file: URL) {
    this.threads = threads;
    this.#file = file;
  }

  takes(plaintextLength: number, frameLength: number): boolean {
    return plaintextLength >= PARALLEL_FROM_BYTES && frameLength * 2 <= plaintextLength;
  }

  /** Each run goes to whichever thread is free first. */
  async run(work: FrameWork, signal: AbortSignal | undefined): Promise<void> {
    const failures: unknown[] = [];
    const running: Promise<void>[] = [];
    for (const run of framingRuns(work)) {
      if (signal?.aborted === true)
        failures.push(new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason }));
      if (failures.length > 0) break;
      const thread = await this.#take();
      running.push(
        thread
          .run(run)
          .catch((error: unknown) => failures.push(error))
          .then(() => {
            this.#giveBack(thread);
          }),
      );
    }
    // All of them, also after a failure: the memory is not free before every thread has let go of it.
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((thread) => thread.end()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(): Promise<WorkerThread> {
    if (this.#closed) throw new EnvelopeError("worker-failed", "The worker threads were closed");
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.size < this.threads) {
      const started = new WorkerThread(this.#file);
      this.#all.add(started);
      return started;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(thread: WorkerThread): void {
    const usable = thread.ended ? this.#replace(thread) : thread;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(usable);
    } else {
      usable.forget();
      this.#idle.push(usable);
    }
  }

  #replace(ended: WorkerThread): WorkerThread {
    this.#all.delete(ended);
    const started = new WorkerThread(this.#file);
    this.#all.add(started);
    return started;
  }
}

/** One thread, which has one task at a time. */
class WorkerThread {
  readonly #worker: Worker;
  /**
   * Hold what goes in and what comes out. Kept from run to run: touching fresh memory can cost more than encrypting it.
   */
  readonly #input = new SharedMemory();
  readonly #output = new SharedMemory();
  ended = false;

  constructor(file: URL) {
    this.#worker = new Worker(file);
    this.#worker.once("exit", () => {
      this.ended = true;
    });
    // Waiting for work must not keep the process alive.
    this.#worker.unref();
  }

  async run(run: FramingRun): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<TaskOutcome>();
    const onError = (cause: unknown): void => {
      reject(new EnvelopeError("worker-failed", `A worker thread failed (${KEEP_OUTSIDE})`, { cause }));
    };
    const onEnd = (): void => {
      reject(new EnvelopeError("worker-failed", "A worker thread ended in the middle of its work"));
    };
    this.#worker.ref();
    this.#worker.once("message", resolve);
    this.#worker.once("error", onError);
    this.#worker.once("exit", onEnd);
    try {
      const input = isShared(run.input) ? run.input : this.#input.copyOf(run.input);
      const output = this.#output.ofLength(run.output.length);
      this.#worker.postMessage({ ...run, input, output } satisfies FramingTask);
      const { done } = await promise;
      if (!done) throw new EnvelopeError("decryption-failed", "The message does not authenticate");
      run.output.set(output);
    } finally {
      this.#worker.off("message", resolve);
      this.#worker.off("error", onError);
      this.#worker.off("exit", onEnd);
      this.#worker.unref();
    }
  }

  /** The thread is idle: what it worked on, which may be plaintext, is overwritten. */
  forget(): void {
    this.#input.forget();
    this.#output.forget();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Memory that two threads see, as much as was needed at the most. */
class SharedMemory {
  #bytes = new SharedArrayBuffer(0);

  ofLength(length: number): Uint8Array<SharedArrayBuffer> {
    if (this.#bytes.byteLength < length) this.#bytes = new SharedArrayBuffer(length);
    return new Uint8Array(this.#bytes, 0, length);
  }

  copyOf(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
    const copy = this.ofLength(bytes.length);
    copy.set(bytes);
    return copy;
  }

  forget(): void {
    new Uint8Array(this.#bytes).fill(0);
  }
}
