/**
 * How a stream of either kind ends before its time: whoever gives it up, and wherever it stands then, its `result`
 * settles, the caller's AbortSignal is let go of, and a keyring that is being asked hears of it.
 */
import { EnvelopeError, isEnvelopeError } from "../errors.ts";
import type { Pieces } from "./byte-transform.ts";

export class StreamLifetime<Result> {
  /** Settles once; is no unhandled rejection when nobody looks at it. */
  readonly result: Promise<Result>;
  readonly #settle: PromiseWithResolvers<Result>;
  readonly #givenUp = new AbortController();
  readonly #callersSignal: AbortSignal | undefined;
  #onEnd: ((reason: unknown) => void) | null = null;
  #over = false;

  constructor(callersSignal: AbortSignal | undefined) {
    this.#settle = Promise.withResolvers<Result>();
    this.result = this.#settle.promise;
    this.result.catch(() => undefined);
    this.#callersSignal = callersSignal;
    if (callersSignal?.aborted === true) this.#abort();
    else callersSignal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** Aborted when the stream is given up, in whatever way: what the stream's own work listens to. */
  get signal(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Names what has to be done when the stream is given up: wipe what is held, and tell both of its ends. */
  onEnd(onEnd: (reason: unknown) => void): void {
    if (this.signal.aborted) onEnd(this.signal.reason);
    else this.#onEnd = onEnd;
  }

  /** The header is written or verified. */
  started(result: Result): void {
    this.#settle.resolve(result);
  }

  /** All has gone through: there is nothing left to give up. */
  finish(): void {
    this.#over = true;
    this.#callersSignal?.removeEventListener("abort", this.#abort);
  }

  /**
   * The stream fails or is given up. Only the first reason counts; one that is no EnvelopeError becomes the cause of an
   * `aborted`.
   */
  end(reason: unknown): void {
    if (this.#over) return;
    this.finish();
    const error = asEnvelopeError(reason);
    this.#settle.reject(error);
    this.#givenUp.abort(error);
    this.#onEnd?.(reason ?? error);
  }

  /** Hands pieces on, or wipes them when the stream was given up while they were made. */
  deliver(pieces: Pieces, emit: (piece: Uint8Array) => void): void {
    for (const piece of pieces) {
      if (this.signal.aborted) piece.fill(0);
      else emit(piece);
    }
  }

  readonly #abort = (): void => {
    const cause: unknown = this.#callersSignal?.reason;
    this.end(new EnvelopeError("aborted", "The stream was aborted", { cause }));
  };
}

function asEnvelopeError(reason: unknown): EnvelopeError {
  return isEnvelopeError(reason) ? reason : new EnvelopeError("aborted", "The stream was given up", { cause: reason });
}
