// A tree that lies in a store: the hashes of its leaves, and the roots of complete subtrees of every eighth height.
// Whatever a root or a proof needs is made of at most 255 of them for each height. The store is asked, and not known.

import { consistencyRanges, inclusionRanges } from "./proof.ts";
import type { LeafRange } from "./proof.ts";
import { CompactRange } from "./tree.ts";
import type { Subtree } from "./tree.ts";

/** Roots of complete subtrees of these heights are kept: 8, 16, ... One row for 256 entries. */
export const STORED_HEIGHTS = 8;

/** Whether a subtree is kept. */
export const isStored = ({ height }: Pick<Subtree, "height">): boolean => height % STORED_HEIGHTS === 0;

/** Which hashes: of leaves (height 0) or of subtrees of a stored height, by their index. */
export interface HashRange extends LeafRange {
  readonly height: number;
}

/** Reads hashes in their order. */
export type HashSource = (range: HashRange) => Promise<readonly Uint8Array[]>;

/** Reads from a stored tree. */
export class StoredTree {
  readonly #hashes: HashSource;

  constructor(hashes: HashSource) {
    this.#hashes = hashes;
  }

  /** The tree of the first `size` leaves. @throws RangeError if not all of them are there. */
  at(size: number): Promise<CompactRange> {
    return this.#of({ start: 0, end: size });
  }

  /** The hashes that prove that leaf `index` (from 0) is in the tree of `size` leaves. */
  proveInclusion(index: number, size: number): Promise<Uint8Array[]> {
    return this.#rootsOf(inclusionRanges(index, size));
  }

  /** The hashes that prove that the tree of `size` leaves begins with that of `oldSize`. */
  proveConsistency(oldSize: number, size: number): Promise<Uint8Array[]> {
    return this.#rootsOf(consistencyRanges(oldSize, size));
  }

  async #rootsOf(ranges: readonly LeafRange[]): Promise<Uint8Array[]> {
    const roots: Uint8Array[] = [];
    for (const range of ranges) roots.push((await this.#of(range)).root());
    return roots;
  }

  /** The tree of a range of leaves: the largest stored subtrees first, and the leaves that are left. */
  async #of({ start, end }: LeafRange): Promise<CompactRange> {
    const range = new CompactRange();
    let height = 0;
    while (2 ** (height + STORED_HEIGHTS) <= end - start) height += STORED_HEIGHTS;
    for (let at = start; height >= 0; height -= STORED_HEIGHTS) {
      const width = 2 ** height;
      const count = Math.floor((end - at) / width);
      const first = at / width;
      const hashes = count === 0 ? [] : await this.#hashes({ height, start: first, end: first + count });
      for (const hash of hashes) range.append(hash, height);
      at += count * width;
    }
    if (range.size !== end - start) throw new RangeError(`the tree has no leaves ${start} to ${end}`);
    return range;
  }
}
