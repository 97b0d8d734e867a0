/**
 * One onEncrypt or onDecrypt: its deadline, joined with the caller's signal. Whatever waits inside an operation is told
 * when it is cut short, so that the deadline holds even over a client that ignores its AbortSignal.
 */
import { attemptShareMs, startDeadline } from "../../resilience/deadline.ts";
import type { Deadline } from "../../resilience/deadline.ts";
import type { CancelTimer, Time } from "../../resilience/time.ts";

export type CutShort = "deadline" | "aborted";

/** Dispose of it, or its timer keeps running. */
export class Operation implements Disposable {
  readonly time: Time;
  readonly #deadline: Deadline;
  readonly #cancelTimer: CancelTimer;
  readonly #caller: AbortSignal | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = (): void => {
    this.#cut("aborted");
  };
  #cutShort: CutShort | null = null;

  constructor(options: { readonly time: Time; readonly deadlineMs: number; readonly signal: AbortSignal | undefined }) {
    this.time = options.time;
    this.#deadline = startDeadline(options.time.now(), options.deadlineMs);
    this.#cancelTimer = options.time.after(options.deadlineMs, () => {
      this.#cut("deadline");
    });
    this.#caller = options.signal;
    if (options.signal?.aborted === true) this.#cutShort = "aborted";
    else options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** null while time is left. */
  cutShort(): CutShort | null {
    return this.#cutShort;
  }

  get elapsedMs(): number {
    return this.time.now() - this.#deadline.startedAt;
  }

  /** How long an attempt may take when `attemptsLeft`, itself included, may still follow one another. */
  shareMs(attemptsLeft: number, longestMs: number): number {
    return attemptShareMs(this.#deadline, this.time.now(), { attemptsLeft, longestMs });
  }

  /** Waits for `result`, but is told to `stop` what it comes from when the operation is cut short. */
  async guard<T>(running: { readonly result: Promise<T>; stop(): void }): Promise<T> {
    const stop = (): void => {
      running.stop();
    };
    if (this.#cutShort === null) this.#listeners.add(stop);
    else stop();
    try {
      return await running.result;
    } finally {
      this.#listeners.delete(stop);
    }
  }

  #cut(reason: CutShort): void {
    if (this.#cutShort !== null) return;
    this.#cutShort = reason;
    for (const listener of this.#listeners) listener();
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
