// The first bytes of a stream, looked at before anything is decided; the stream is then read from its first byte.

/** A stream whose beginning is known. */
export interface Peeked {
  readonly first: Uint8Array;
  /** Whether that is all of it. */
  readonly whole: boolean;
  /** All of the stream, from its first byte on; to be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the stream where it is not read to its end. */
  close(): Promise<void>;
}

/** Reads up to `size` bytes of a stream ahead. */
export async function peek(stream: AsyncIterable<Uint8Array>, size: number): Promise<Peeked> {
  const iterator = stream[Symbol.asyncIterator]();
  const close = async (): Promise<void> => {
    await iterator.return?.();
  };
  const ahead: Uint8Array[] = [];
  let length = 0;
  let whole = false;
  while (length < size && !whole) {
    const next = await iterator.next();
    if (next.done === true) whole = true;
    else {
      ahead.push(next.value);
      length += next.value.length;
    }
  }
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* ahead;
      while (!whole) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await close();
    }
  };
  return { first: Buffer.concat(ahead).subarray(0, size), whole: whole && length <= size, chunks: chunks(), close };
}
