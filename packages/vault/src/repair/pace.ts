/**
 * Spreads starts evenly: no more than so many a second, and none saved up for a burst.
 */
export class Pace {
  readonly #gapMs: number;
  #next = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#gapMs = 1000 / perSecond;
  }

  /** Takes the next turn; how long it is until then, in milliseconds. */
  turn(now: number): number {
    // A clock that was set back leaves a turn far ahead: forget it.
    const ahead = this.#next - now;
    const wait = ahead > 0 && ahead <= LONGEST_QUEUE_MS + this.#gapMs ? ahead : 0;
    this.#next = now + wait + this.#gapMs;
    return wait;
  }
}

/** More turns than this are never taken ahead: the versions under repair at once, at the slowest rate. */
const LONGEST_QUEUE_MS = 3_600_000;
