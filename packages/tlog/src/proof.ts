// Proofs about a Merkle tree (RFC 9162, sections 2.1.3 and 2.1.4). A proof is made in two steps, so that nothing here
// reads a store: which ranges of leaves it is made of, and the hashes of those, which whoever keeps the tree looks up.
// Sizes are halved as numbers, not shifted as bits, which end at 32.

import { HASH_LENGTH, nodeHash } from "./tree.ts";

/** Leaves from `start` up to, but without, `end`; its hash is the root of a tree of these leaves alone. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** No tree that is counted in 64 bits has longer proofs (c2sp.org/tlog-witness). */
export const MAX_PROOF_LENGTH = 63;

/** What a proof says that leaf `index` is in the tree of `size` leaves, from the leaf's sibling up. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  requireCount(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError("there is no such leaf");
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    const inLeft = index < middle;
    ranges.push(inLeft ? { start: middle, end } : { start, end: middle });
    if (inLeft) end = middle;
    else start = middle;
  }
  return ranges.reverse();
}

/** What a proof says that the tree of `size` leaves begins with that of `oldSize`. */
export function consistencyRanges(oldSize: number, size: number): readonly LeafRange[] {
  requireCount(size);
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > size) throw new RangeError("no such older tree");
  if (oldSize === 0) return [];
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end > oldSize) {
    const middle = start + largestPowerBelow(end - start);
    const inLeft = oldSize <= middle;
    ranges.push(inLeft ? { start: middle, end } : { start, end: middle });
    if (inLeft) end = middle;
    else start = middle;
  }
  // The verifier has the old root: it is not sent where it is a subtree of the new tree itself.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** A claim that a leaf is in a tree. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** The leaf's hash. */
  readonly leaf: Uint8Array;
}

/** Whether `proof` proves the claim. */
export function provesInclusion(proof: readonly Uint8Array[], { index, size, root, leaf }: InclusionClaim): boolean {
  if (!isCount(size) || !isCount(index) || index >= size || !areHashes([root, leaf, ...proof])) return false;
  let [at, last, reached] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      reached = nodeHash(sibling, reached);
      [at, last] = upFromRight(at, last);
    } else {
      reached = nodeHash(reached, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(reached, root);
}

/** A claim that one tree is the beginning of another. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether `proof` proves the claim. The empty tree is the beginning of every tree, by the empty proof. */
export function provesConsistency(
  proof: readonly Uint8Array[],
  { oldSize, oldRoot, size, root }: ConsistencyClaim,
): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && equal(oldRoot, root);
  if (oldSize === 0) return proof.length === 0;
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (first === undefined || proof.length === 0) return false;
  let [at, last] = [oldSize - 1, size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [oldReached, reached] = [first, first];
  for (const node of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldReached = nodeHash(node, oldReached);
      reached = nodeHash(node, reached);
      [at, last] = upFromRight(at, last);
    } else {
      reached = nodeHash(reached, node);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(oldReached, oldRoot) && equal(reached, root);
}

/** Levels on which the right edge of a tree has no sibling are passed over. */
function upFromRight(at: number, last: number): [number, number] {
  while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
  return [at, last];
}

const half = (value: number): number => Math.floor(value / 2);

/** The largest power of two below `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function isPowerOfTwo(count: number): boolean {
  while (count % 2 === 0) count /= 2;
  return count === 1;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function requireCount(size: number): void {
  if (!isCount(size)) throw new RangeError("a size is a whole number");
}

const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.length <= MAX_PROOF_LENGTH + 2 && hashes.every((one) => one.length === HASH_LENGTH);

/** Hashes of a log are public: comparing them in constant time would protect nothing. */
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
