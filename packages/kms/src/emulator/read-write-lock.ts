// A lock that many may hold together, or one alone: calls among themselves, a reset by itself.

/** First come, first served: whoever comes after one that wants to be alone waits for it. */
export class ReadWriteLock {
  readonly #together = new Set<Promise<unknown>>();
  /** Ends when the last that wanted to be alone has been. */
  #alone: Promise<void> = Promise.resolve();

  /** Runs `work` beside others of its kind. */
  async shared<T>(work: () => Promise<T>): Promise<T> {
    let alone: Promise<void>;
    do {
      alone = this.#alone;
      await alone;
    } while (alone !== this.#alone);
    const running = work();
    this.#together.add(running);
    try {
      return await running;
    } finally {
      this.#together.delete(running);
    }
  }

  /** Runs `work` while nothing else runs. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#alone.then(async () => {
      await Promise.allSettled(this.#together);
      return work();
    });
    this.#alone = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
