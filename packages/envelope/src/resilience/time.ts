/**
 * The only source of time of the resilience policy, so that a test or a simulation can let minutes pass at once; and
 * the one deadline of an operation, measured by it. The state machines beside this file take plain milliseconds; only
 * deadlines, calls and fan-outs set timers, through this interface.
 */
import { having } from "../options.ts";
import type { Reader } from "../options.ts";
import { ListeningClock, OPERATION_TURN_MS, REGION_TURN_MS, thisMachine } from "./listening-clock.ts";

export interface Time {
  /** Milliseconds of a monotonic clock; only differences mean something. */
  now(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

/** The option `time`. */
export const timeOption: Reader<Time> = having<Time>("a clock", "now", "after");

/** The clock of the policy: the machine's, less what this process stood still. */
export const systemTime: Time = new ListeningClock(thisMachine, REGION_TURN_MS);

/** The same for deadlines, which go on while the process is slow, and stand still while it does. */
const deadlineTime: Time = new ListeningClock(thisMachine, OPERATION_TURN_MS);

/** The machine's clock, with timers that do not keep a process alive: for what is tidied up in the background. */
export const idleTime: Time = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.ceil(delayMs)).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** No time for an attempt. */
const TOO_LITTLE_MS = 1;

/** Why an operation ended early. */
export type CutShort = "deadline" | "aborted";

/**
 * The deadline of one onEncrypt, onDecrypt or probe, joined with the caller's signal. Whatever waits under it is told
 * when it is cut short, so that it holds even over a client that ignores its AbortSignal. Dispose of it, or its timer
 * keeps running.
 */
export class Deadline implements Disposable {
  readonly time: Time;
  readonly #clock: Time;
  readonly #startedAt: number;
  readonly #endsAt: number;
  readonly #cancelTimer: CancelTimer;
  readonly #caller: AbortSignal | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = (): void => {
    this.#cut("aborted");
  };
  #cutShort: CutShort | null = null;

  constructor(options: { readonly time: Time; readonly deadlineMs: number; readonly signal: AbortSignal | undefined }) {
    this.time = options.time;
    this.#clock = options.time === systemTime ? deadlineTime : options.time;
    this.#startedAt = this.#clock.now();
    this.#endsAt = this.#startedAt + options.deadlineMs;
    this.#cancelTimer = this.#clock.after(options.deadlineMs, () => {
      this.#cut("deadline");
    });
    this.#caller = options.signal;
    if (options.signal?.aborted === true) this.#cutShort = "aborted";
    else options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** null while time is left. By the clock: an attempt that had all that was left may end before the timer is heard. */
  cutShort(): CutShort | null {
    return this.#cutShort ?? (this.leftMs < TOO_LITTLE_MS ? "deadline" : null);
  }

  get elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  /** Milliseconds left, never negative. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - this.#clock.now());
  }

  /**
   * How long the next attempt may take: its fair share of what is left when `attemptsLeft` (this one included) may
   * still follow one another, at most `longestMs`. A region that never answers then cannot use up the time in which
   * another would have, and the shares of silent attempts never add up to more than the deadline.
   */
  shareMs(attemptsLeft: number, longestMs: number): number {
    return Math.min(longestMs, this.leftMs / Math.max(1, attemptsLeft));
  }

  /** Waits for `result`, but tells what it comes from to `stop` when the time is cut short. */
  async guard<T>(running: { readonly result: Promise<T>; stop(why: CutShort): void }): Promise<T> {
    const stop = (): void => {
      running.stop(this.#cutShort ?? "deadline");
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
