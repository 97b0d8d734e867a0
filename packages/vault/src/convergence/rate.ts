/**
 * How fast a run may go in this process: state machines that are told the time. What all processes may do together is
 * shared by slots (kms-slots.ts); what this one may do of its slots falls by half when the KMS says that it is too
 * much, or when reads and writes suffer, and comes back little by little.
 */

/** It falls no lower than this part, of what a KMS allows. */
const LEAST = 1 / 64;

/** What was on its way when it fell says nothing of after: it falls once in so long, in milliseconds. */
const FALL_MS = 1_000;

/** So much of the whole comes back in a second. */
const RISE_PER_SECOND = 0.1;

/** The part of what is allowed that is taken: falls by half, rises by a tenth of the whole in a second. */
export class TakenPart {
  readonly #least: number;
  #part = 1;
  #at = Number.NEGATIVE_INFINITY;
  #fellAt = Number.NEGATIVE_INFINITY;
  #fellTo = 1;

  /** @param least it falls no lower than that */
  constructor(least: number = LEAST) {
    this.#least = least;
  }

  /** Whether it could fall no lower when it last fell. */
  get fellToLeast(): boolean {
    return this.#fellTo === this.#least;
  }

  /** It was too much. Tells whether it falls because of it. */
  tooMuch(now: number): boolean {
    if (now - this.#fellAt < FALL_MS) return false;
    this.#part = Math.max(this.#least, this.now(now) / 2);
    this.#fellTo = this.#part;
    this.#at = now;
    this.#fellAt = now;
    return true;
  }

  /** The part, at a moment. */
  now(now: number): number {
    if (this.#part < 1) {
      this.#part = Math.min(1, this.#part + (Math.max(0, now - this.#at) / 1000) * RISE_PER_SECOND);
      this.#at = now;
    }
    return this.#part;
  }
}

/** Items whose calls are looked at together, before and after them none are remembered. */
const ITEMS_SEEN = 32;

/** How many calls an item takes in the region that has the most of them, by those of late. */
export class CallsPerItem {
  #items = 0;
  readonly #calls = new Map<string, number>();
  #each: number;

  /** @param each as far as it is known before */
  constructor(each: number) {
    this.#each = each;
  }

  get each(): number {
    return this.#each;
  }

  called(region: string): void {
    this.#calls.set(region, (this.#calls.get(region) ?? 0) + 1);
  }

  ended(): void {
    this.#items += 1;
    if (this.#items < ITEMS_SEEN) return;
    this.#each = [...this.#calls.values()].reduce((a, b) => Math.max(a, b), 0) / this.#items;
    this.#items = 0;
    this.#calls.clear();
  }
}

/** A turn is taken so far ahead and no further, in milliseconds: rates change, and slots are lost. */
export const AHEAD_MS = 250;

/** A turn that was asked for: how long it is until then, and whether it was taken or is to be asked for again. */
export interface Turn {
  readonly waitMs: number;
  readonly isTaken: boolean;
}

/** Spreads starts evenly, at a gap that may be another one each time. Nothing is saved up for a burst. */
export class EvenPace {
  #next = Number.NEGATIVE_INFINITY;

  turn(now: number, gapMs: number): Turn {
    const waitMs = Math.max(0, this.#next - now);
    if (waitMs > AHEAD_MS) return { waitMs: AHEAD_MS, isTaken: false };
    this.#next = now + waitMs + gapMs;
    return { waitMs, isTaken: true };
  }
}
