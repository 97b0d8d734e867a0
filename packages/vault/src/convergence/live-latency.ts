/**
 * How long reads and writes of this process take, so that a run goes slower when they suffer by it. A call costs two
 * numbers in a ring; nothing is allocated, and nothing is computed until somebody asks.
 */

/** Durations that are remembered: at thousands a second, the newest of them. */
const REMEMBERED = 2_048;

/** What is of late, in milliseconds. */
const LATE_MS = 5_000;

/** Fewer say nothing. */
const TELLING = 20;

/** Reads and writes suffer when their p95 is so many times what it was without a run, and so much more besides. */
const TIMES = 2;
const MORE_MS = 20;

export class LiveLatency {
  readonly #at: Float64Array = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  readonly #ms: Float64Array = new Float64Array(REMEMBERED);
  #next = 0;
  #isWorking = false;
  /** p95 of when no run was under way; null: too little was seen then. */
  #before: number | null = null;

  /** A read or a write has ended. @param began `performance.now()` when it began; @param now the same of now */
  ended(began: number, now: number): void {
    this.#at[this.#next] = now;
    this.#ms[this.#next] = now - began;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** A run is under way: what ended until that moment is how it is without. */
  works(until: number): void {
    if (!this.#isWorking) this.#before = this.#p95(Number.NEGATIVE_INFINITY, until) ?? this.#before;
    this.#isWorking = true;
  }

  /** None is from now on, and what was seen while one was is forgotten. */
  rests(): void {
    if (this.#isWorking) this.#at.fill(Number.NEGATIVE_INFINITY);
    this.#isWorking = false;
  }

  /** Whether reads and writes of late suffer. @param since of what ended after it alone is asked */
  suffers(now: number, since: number): boolean {
    const before = this.#before;
    if (!this.#isWorking || before === null) return false;
    const late = this.#p95(Math.max(since, now - LATE_MS), now);
    return late !== null && late > TIMES * before && late > before + MORE_MS;
  }

  /** It is not the run that they suffer by: what is of late is how it is without one, from now on. */
  accept(now: number): void {
    this.#before = this.#p95(now - LATE_MS, now) ?? this.#before;
  }

  /** Null: too few have ended after `since`. */
  #p95(since: number, now: number): number | null {
    const found = this.#ms.filter((_, index) => {
      const at = this.#at[index] ?? Number.NEGATIVE_INFINITY;
      return at > since && at <= now;
    });
    if (found.length < TELLING) return null;
    return found.sort()[Math.ceil(0.95 * found.length) - 1] ?? null;
  }
}
