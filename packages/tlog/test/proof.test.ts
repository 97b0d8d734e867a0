import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { consistencyRanges, inclusionRanges, provesConsistency, provesInclusion } from "@strongroom/tlog/proof";
import type { LeafRange } from "@strongroom/tlog/proof";
import { CompactRange, EMPTY_ROOT, leafHash } from "@strongroom/tlog/tree";
import { plainRoot } from "./plain-tree.ts";

const LEAVES = Array.from({ length: 65 }, (_, i) => leafHash(`leaf ${i}`));
const rootOf = (size: number): Uint8Array => plainRoot(LEAVES.slice(0, size));
const hashesOf = (ranges: readonly LeafRange[]): Uint8Array[] =>
  ranges.map(({ start, end }) => plainRoot(LEAVES.slice(start, end)));

test("every leaf of every tree up to 64 leaves is proved, at its place alone", () => {
  for (let size = 1; size <= 64; size++) {
    for (let index = 0; index < size; index++) {
      const proof = hashesOf(inclusionRanges(index, size));
      const claim = { index, size, root: rootOf(size), leaf: LEAVES[index]! };
      assert.ok(provesInclusion(proof, claim), `${index} of ${size}`);
      for (let other = 0; other < size; other++)
        assert.equal(provesInclusion(proof, { ...claim, index: other }), other === index, `${other} for ${index}`);
    }
  }
});

test("every tree up to 64 leaves is proved to begin with every smaller one, and with no other", () => {
  for (let size = 0; size <= 64; size++) {
    for (let oldSize = 0; oldSize <= size; oldSize++) {
      const proof = hashesOf(consistencyRanges(oldSize, size));
      const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size) };
      assert.ok(provesConsistency(proof, claim), `${oldSize} of ${size}`);
      if (oldSize > 0) {
        assert.equal(provesConsistency(proof, { ...claim, oldRoot: leafHash("other") }), false);
        assert.equal(provesConsistency(proof, { ...claim, root: leafHash("other") }), false);
      }
      if (oldSize > 1) assert.equal(provesConsistency(proof, { ...claim, oldSize: oldSize - 1 }), false);
      assert.equal(provesConsistency(proof, { ...claim, oldSize: size + 1 }), false);
    }
  }
});

/** Every proof that differs in one place: a bit, a hash left out, doubled, added or exchanged. */
function* changed(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (let at = 0; at < proof.length; at++) {
    for (let bit = 0; bit < 256; bit += 37) {
      const flipped = Buffer.from(proof[at]!);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      yield proof.with(at, flipped);
    }
    yield proof.toSpliced(at, 1);
    yield proof.toSpliced(at, 0, proof[at]!);
    yield proof.with(at, proof[at]!.subarray(1));
    if (at > 0) yield proof.with(at, proof[at - 1]!).with(at - 1, proof[at]!);
  }
  yield [...proof, leafHash("more")];
  yield [leafHash("more"), ...proof];
}

test("no proof stands a single change", () => {
  for (let size = 1; size <= 64; size++) {
    for (const index of new Set([0, size >> 1, size - 1])) {
      const claim = { index, size, root: rootOf(size), leaf: LEAVES[index]! };
      for (const proof of changed(hashesOf(inclusionRanges(index, size))))
        assert.equal(provesInclusion(proof, claim), false, `${index} of ${size}`);
    }
    for (const oldSize of new Set([0, 1, size >> 1, size - 1, size])) {
      const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size) };
      for (const proof of changed(hashesOf(consistencyRanges(oldSize, size))))
        assert.equal(provesConsistency(proof, claim), false, `${oldSize} of ${size}`);
    }
  }
});

test("the empty tree begins every tree, and only the empty proof says so", () => {
  const claim = { oldSize: 0, oldRoot: EMPTY_ROOT, size: 7, root: rootOf(7) };
  assert.ok(provesConsistency([], claim));
  assert.equal(provesConsistency([LEAVES[0]!], claim), false);
});

test("a compact range grows as the tree does, by leaves and by subtrees, and tells what it completes", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 300 }), (texts) => {
      const leaves = texts.map((text) => leafHash(text));
      const range = new CompactRange();
      const seen = new Map<string, Uint8Array>();
      for (const leaf of leaves)
        range.append(leaf, 0, ({ height, index, hash }) => seen.set(`${height}/${index}`, hash));
      assert.deepEqual(Buffer.from(range.root()), Buffer.from(plainRoot(leaves)));
      for (const [name, hash] of seen) {
        const [height = 0, index = 0] = name.split("/").map(Number);
        const width = 2 ** height;
        assert.deepEqual(hash, plainRoot(leaves.slice(index * width, (index + 1) * width)));
      }
      const jumped = new CompactRange();
      let at = 0;
      for (let height = 8; height >= 0; height--) {
        for (; at + 2 ** height <= leaves.length; at += 2 ** height)
          jumped.append(height === 0 ? leaves[at]! : seen.get(`${height}/${at / 2 ** height}`)!, height);
      }
      assert.deepEqual(jumped.root(), range.root());
      const copy = range.copy();
      copy.append(leafHash("more"));
      assert.equal(range.size, leaves.length);
      assert.equal(copy.size, leaves.length + 1);
    }),
    { numRuns: 60 },
  );
});

test("sizes beyond 32 bits are counted rightly", () => {
  for (const size of [2 ** 32 + 1, 2 ** 40, 2 ** 53 - 1]) {
    const ranges = inclusionRanges(size - 1, size);
    assert.ok(ranges.length > 0 && ranges.length <= 63);
    assert.ok(consistencyRanges(size - 1, size).length <= 63);
    const leaf = leafHash("x");
    const proof = ranges.map(() => leaf);
    const range = new CompactRange();
    assert.throws(() => {
      range.append(leaf, 54);
    }, RangeError);
    assert.equal(provesInclusion(proof, { index: size - 1, size, root: leaf, leaf }), false);
  }
  for (const [index, size] of [
    [0, 0],
    [-1, 4],
    [4, 4],
    [0.5, 4],
    [Number.NaN, 4],
    [0, 2 ** 53],
  ] as const)
    assert.throws(() => inclusionRanges(index, size), RangeError);
  for (const [old, size] of [
    [5, 4],
    [-1, 4],
    [1.5, 4],
    [1, Number.POSITIVE_INFINITY],
  ] as const)
    assert.throws(() => consistencyRanges(old, size), RangeError);
});
