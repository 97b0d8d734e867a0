/**
 * Takes turns by key: writers of one record in this process go one after the other, so that they do not spend KMS calls
 * on messages that lose against each other. Order within a process only; between processes the store's compare-and-swap
 * decides.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` after all work that was queued under this key before has settled. */
  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    // What the next one waits for never rejects: one writer's failure is not the next one's.
    const settled = mine.then(noop, noop);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}

function noop(): void {
  // Settled either way.
}
