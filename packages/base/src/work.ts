/**
 * Work in bounded amounts: several items at a time with results in order, and turns by key. Own code, because p-map
 * leaves what runs running when one item fails, and here whoever is told of a failure may close what the others still
 * use. None of it takes an AbortSignal: work that is aborted rejects, and after a failure nothing more is started.
 */

/**
 * Does `work` for each item, at most `concurrency` of them at a time, and gives the results in the order of the items.
 *
 * @throws the first failure, when everything that had begun has ended; after it nothing more is started
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const remaining = items.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, item] of remaining) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

/**
 * The same for a source without a known end: results come in the order of the inputs, and no more than `concurrency`
 * inputs are taken before the reader has asked for the first of their results. Whether it fails or the reader goes
 * away, it ends when what had begun has ended.
 */
export async function* mapInOrder<Input, Result>(
  inputs: AsyncIterable<Input>,
  concurrency: number,
  work: (input: Input) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const input of inputs) {
      const started = work(input);
      // Its failure is felt when its turn comes; until then it is not an unhandled one.
      started.catch(() => undefined);
      underWay.push(started);
      const first = underWay.length >= concurrency ? underWay.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) yield await first;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/**
 * Takes turns by key: work under one key goes one after the other, in the order in which it came; work under other keys
 * does not wait. Within this process and this object only.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` after all work that was queued under this key before has settled. */
  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    // What the next one waits for never rejects: one's failure is not the next one's.
    const settled = turn.then(noop, noop);
    this.#last.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}

function noop(): void {
  // Settled either way.
}
