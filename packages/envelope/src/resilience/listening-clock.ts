/**
 * A clock that stands still while this process does. What a region is judged by is the time in which it was listened
 * to: a process that computes for two seconds, is stopped, or gets no processor hears nobody, and would otherwise take
 * every region for silent at once. A timer that is always set (the beat) shows it: one turn of the event loop counts
 * for so much at most, however long it took.
 */

/** How often the beat looks. Only while a timer is set: an idle process is not woken. */
const BEAT_MS = 5;

/**
 * What a turn counts for at most, in milliseconds. `REGION_TURN_MS`, where regions are judged: turns of a busy process
 * that keeps up are shorter; and so short that a turn, with the answers that are heard at its end, decides nothing
 * alone. `OPERATION_TURN_MS`, for the deadline of the caller: a stall is not counted, a process that is merely slow is.
 */
export const REGION_TURN_MS = 15;
export const OPERATION_TURN_MS = 100;

type CancelTimer = () => void;

/** Where the clock gets its own time and timers from; a test has its own. */
export interface Machine {
  /** Milliseconds of a monotonic clock: a wall clock set back would keep a breaker open for as long. */
  now(): number;
  /** @param mode `background`: does not keep the process alive. */
  after(delayMs: number, mode: "foreground" | "background", callback: () => void): CancelTimer;
  /** Calls back once the answers that have arrived by now were heard: a process's timers come before them. */
  afterListening(callback: () => void): CancelTimer;
}

export const thisMachine: Machine = {
  now: () => performance.now(),
  after: (delayMs, mode, callback) => {
    // setTimeout rounds down: an attempt that may take all that is left would end just before the deadline.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    if (mode === "background") timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
  afterListening: (callback) => {
    const turn = setImmediate(callback);
    return () => {
      clearImmediate(turn);
    };
  },
};

export class ListeningClock {
  readonly #machine: Machine;
  readonly #longestTurnMs: number;
  /** Time that did not count, all in all. */
  #stoodStillMs = 0;
  /** When the beat was last seen; null while it rests. */
  #beatAt: number | null = null;
  #timersSet = 0;

  constructor(machine: Machine, longestTurnMs: number) {
    this.#machine = machine;
    this.#longestTurnMs = longestTurnMs;
  }

  now(): number {
    const now = this.#machine.now();
    const counted = this.#beatAt === null ? now : Math.min(now, this.#beatAt + this.#longestTurnMs);
    return counted - this.#stoodStillMs;
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    const dueAt = this.now() + delayMs;
    let set = true;
    let cancel: CancelTimer = () => undefined;
    const end = (): void => {
      if (set) this.#timersSet -= 1;
      set = false;
    };
    const wait = (ms: number): void => {
      cancel = this.#machine.after(ms, "foreground", () => {
        const left = dueAt - this.now();
        if (left > 0) wait(left);
        else
          cancel = this.#machine.afterListening(() => {
            end();
            callback();
          });
      });
    };
    this.#timersSet += 1;
    this.#beat();
    wait(delayMs);
    return () => {
      end();
      cancel();
    };
  }

  #beat(): void {
    if (this.#beatAt !== null) return;
    this.#beatAt = this.#machine.now();
    this.#machine.after(BEAT_MS, "background", () => {
      const now = this.#machine.now();
      this.#stoodStillMs += Math.max(0, now - (this.#beatAt ?? now) - this.#longestTurnMs);
      this.#beatAt = null;
      if (this.#timersSet > 0) this.#beat();
    });
  }
}
