// What is encrypted: the same printable bytes for every contender, because some of them take nothing but text.

import { createHash } from "node:crypto";

const BLOCK_BYTES = 1_048_576;

/** `length` printable bytes, the same in every process. Beyond 1 MiB the same block comes again. */
export function payloadOf(length: number): Buffer {
  const block = createHash("shake256", { outputLength: Math.min(length, BLOCK_BYTES) })
    .update("strongroom bench")
    .digest("base64");
  const payload = Buffer.alloc(length);
  return payload.fill(block.slice(0, Math.min(length, BLOCK_BYTES)), "latin1");
}

/** Throws unless `actual` is the payload. */
export function assertPayload(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0)
    throw new Error(`the result is not the payload (${actual.length} bytes for ${expected.length})`);
}

/** Gives the items of a list one after the other, for ever. */
export function inTurn<T>(items: readonly T[]): () => T {
  let next = 0;
  return () => {
    const item = items[next];
    next = (next + 1) % items.length;
    if (item === undefined) throw new RangeError("an empty list has no turns");
    return item;
  };
}

/** Makes the `count` results one after the other that a reading row needs. */
export async function several<T>(count: number, make: () => T | Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(await make());
  return made;
}
