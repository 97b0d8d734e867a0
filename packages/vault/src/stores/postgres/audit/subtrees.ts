/**
 * The complete subtrees of a tree as one value: of each a byte, which is its height, and its hash.
 */
import type { LogState } from "../../audit-log.ts";

/** Of a hash: SHA-256. */
export const HASH_BYTES = 32;
const BYTES = 1 + HASH_BYTES;

export const subtreesForm = (subtrees: LogState["subtrees"]): Buffer =>
  Buffer.concat(subtrees.flatMap(({ height, hash }) => [Uint8Array.of(height), hash]));

/** Null: no vault writes it. */
export function parseSubtrees(form: Uint8Array | null): LogState["subtrees"] | null {
  if (form === null || form.length % BYTES !== 0) return null;
  return Array.from({ length: form.length / BYTES }, (_, index) => {
    const own = form.subarray(index * BYTES, (index + 1) * BYTES);
    return { height: own[0] ?? 0, hash: own.slice(1) };
  });
}
