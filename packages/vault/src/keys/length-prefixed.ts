/**
 * Length-prefixed concatenation, as DESIGN calls it lp(…): each part after its length, so that no two lists of parts come
 * to the same bytes.
 */

/** Strings as UTF-8, whole numbers as decimal text; before each its length in 4 bytes, the highest first. */
export function lengthPrefixed(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = part instanceof Uint8Array ? part : Buffer.from(String(part), "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
