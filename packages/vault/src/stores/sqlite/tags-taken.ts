/**
 * Tags as the writer is given them: of all units or fillings of a call in one piece of memory, which goes over to the
 * thread as it is. Each has the number of its index in the call's list and its length before it.
 */
import type { IndexId, Tag } from "../indexes.ts";
import type { OwnBytes } from "./units-taken.ts";

/** The tags of a call. */
export interface TakenTags {
  readonly indexes: readonly IndexId[];
  /** How many each has, in order; null: none is touched. */
  readonly counts: readonly (number | null)[];
  readonly bytes: OwnBytes;
}

const INDEX_BYTES = 4;
const HEAD_BYTES = INDEX_BYTES + 1;

/** What each has, in order; null: none is touched. The bytes are copied here. */
export function takenTags(given: readonly (readonly Tag[] | null)[]): TakenTags {
  const all = given.flatMap((tags) => tags ?? []);
  const bytes = new Uint8Array(all.reduce((sum, { tag }) => sum + HEAD_BYTES + tag.length, 0));
  const view = new DataView(bytes.buffer);
  const indexes = new Map<IndexId, number>();
  let at = 0;
  for (const { index, tag } of all) {
    const number = indexes.get(index) ?? indexes.size;
    indexes.set(index, number);
    view.setUint32(at, number, true);
    view.setUint8(at + INDEX_BYTES, tag.length);
    bytes.set(tag, at + HEAD_BYTES);
    at += HEAD_BYTES + tag.length;
  }
  return { indexes: [...indexes.keys()], counts: given.map((tags) => tags?.length ?? null), bytes };
}

/** Gives them back, in order. The tags lie in the memory itself. */
export function foundTags({ indexes, counts, bytes }: TakenTags): readonly (readonly Tag[] | null)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const next = (): Tag => {
    const index = indexes[view.getUint32(at, true)];
    if (index === undefined) throw new RangeError("a tag is of no index");
    const from = at + HEAD_BYTES;
    at = from + view.getUint8(at + INDEX_BYTES);
    return { index, tag: bytes.subarray(from, at) };
  };
  return counts.map((count) => (count === null ? null : Array.from({ length: count }, next)));
}
