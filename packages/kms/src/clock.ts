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

  /**
   * Puts the clock forward by `milliseconds`; time never goes back.
   * @throws RangeError for less than nothing, and for a time after the year 2199.
   */
  advance(milliseconds: number): void {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) throw new RangeError("a clock is only put forward");
    if (this.now() + milliseconds > LATEST_TIME)
      throw new RangeError(`a clock is put forward to ${new Date(LATEST_TIME).toISOString()} at most`);
    this.#offset += Math.round(milliseconds);
  }
}

/**
 * As far as a clock goes. Every rotation on the way there is done: dates that JavaScript can count to would keep the
 * server busy for days, and those beyond are no dates.
 */
export const LATEST_TIME: number = Date.UTC(2200, 0, 1);

/** One day in milliseconds: the unit of AWS's waiting and rotation periods. */
export const DAY = 86_400_000;
