// The server's only source of time, so that a year can pass in a test.

/** Milliseconds since 1970, as `Date.now` counts them. */
export interface Clock {
  now(): number;
}

/** The machine's own time. */
export const systemClock: Clock = { now: () => Date.now() };

/**
 * A clock that runs like the machine's, but can be put forward.
 * @example
 * ```ts
 * import { AdjustableClock, createKms } from "@strongroom/kms";
 *
 * const clock = new AdjustableClock();
 * await using kms = await createKms({ clock });
 * clock.advance(365 * 86_400_000); // keys rotate, deletions fall due, imported material expires
 * console.log(kms.clientConfig().region); // prints: eu-west-1
 * ```
 */
export class AdjustableClock implements Clock {
  #offset = 0;
  readonly #base: Clock;

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#offset;
  }

  /** Puts the clock forward by `milliseconds`; time never goes back. */
  advance(milliseconds: number): void {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) throw new RangeError("a clock is only put forward");
    this.#offset += milliseconds;
  }
}

/** One day in milliseconds: the unit of AWS's waiting and rotation periods. */
export const DAY = 86_400_000;
