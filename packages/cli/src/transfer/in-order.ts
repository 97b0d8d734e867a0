// Several at a time, results in the order of the inputs.

/** Maps inputs with at most `concurrency` under way; yields in order. When one fails, none is started any more. */
export async function* inOrder<Input, Result>(
  inputs: AsyncIterable<Input>,
  map: (input: Input) => Promise<Result>,
  concurrency: number,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const input of inputs) {
      const started = map(input);
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
