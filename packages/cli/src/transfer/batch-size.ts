// How many records are sent at a time. An import is to leave the service room for others: one request at a time, small
// at first, larger while the service is quick, and smaller when it is slow, says that it has too much to do, or gets
// fewer wraps than it wants. A request of a second or two also shows a person that the import goes on.

/** The first request, and what a slow service is not pushed below: smaller ones cost more than they spare. */
const SMALLEST = 20;

/** A request below the first makes the next one larger, above the second smaller, in milliseconds. */
const QUICK_MS = 500;
const SLOW_MS = 2000;

/** How many records the next request holds. */
export class BatchSize {
  readonly #largest: number;
  #current: number;

  constructor(largest: number) {
    this.#largest = largest;
    this.#current = Math.min(SMALLEST, largest);
  }

  get current(): number {
    return this.#current;
  }

  /** A request was answered after so many milliseconds; `strained`: a region did not keep up. */
  answered(ms: number, { strained }: { readonly strained: boolean }): void {
    if (strained || ms > SLOW_MS) this.tooMuch();
    else if (ms < QUICK_MS) this.#current = Math.min(this.#current * 2, this.#largest);
  }

  /** The service could not take a request. */
  tooMuch(): void {
    this.#current = Math.max(Math.floor(this.#current / 2), Math.min(SMALLEST, this.#largest));
  }
}
