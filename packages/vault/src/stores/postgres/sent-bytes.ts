/**
 * Bytes as statements are given them: many values are one, which the driver sends as it is, and the function cuts it.
 */

/** Most bytes of messages in one statement; a unit that has more is one of its own. */
export const STATEMENT_BYTES: number = 32 * 1024 * 1024;

/** In parts that one statement takes each, in their order. What is larger alone is a part of its own. */
export function cutBySize<Item>(items: readonly Item[], bytesOf: (item: Item) => number): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  let [part, bytes]: [Item[], number] = [[], 0];
  for (const item of items) {
    const more = bytesOf(item);
    if (parts.length === 0 || bytes + more > STATEMENT_BYTES) {
      [part, bytes] = [[], 0];
      parts.push(part);
    }
    part.push(item);
    bytes += more;
  }
  return parts;
}

export const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** All of them as one value. */
export function joined(values: readonly Uint8Array[]): Buffer {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return asBuffer(only);
  return Buffer.concat(values);
}

/** Where each begins in that, from 1, and how long it is. */
export function cutsOf(values: readonly Uint8Array[]): {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
} {
  let start = 1;
  const starts = values.map(({ length }) => {
    const own = start;
    start += length;
    return own;
  });
  return { starts, sizes: values.map(({ length }) => length) };
}
