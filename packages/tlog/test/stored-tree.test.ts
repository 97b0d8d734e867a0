import assert from "node:assert/strict";
import { test } from "node:test";
import { provesConsistency, provesInclusion } from "@strongroom/tlog/proof";
import { isStored, StoredTree } from "@strongroom/tlog/stored-tree";
import type { HashRange } from "@strongroom/tlog/stored-tree";
import { CompactRange, leafHash } from "@strongroom/tlog/tree";
import { plainRoot } from "./plain-tree.ts";

const SIZE = 1100;

/** A tree as a store keeps it, and what is read of it. */
function stored(): { readonly tree: StoredTree; readonly leaves: readonly Uint8Array[]; readonly reads: HashRange[] } {
  const leaves = Array.from({ length: SIZE }, (_, index) => leafHash(`leaf ${index}`));
  const kept = new Map<string, Uint8Array>(leaves.map((leaf, index) => [`0/${index}`, leaf]));
  const range = new CompactRange();
  for (const leaf of leaves)
    range.append(leaf, 0, (subtree) => {
      if (isStored(subtree)) kept.set(`${subtree.height}/${subtree.index}`, subtree.hash);
    });
  const reads: HashRange[] = [];
  const tree = new StoredTree(async (asked) => {
    reads.push(asked);
    const hashes: Uint8Array[] = [];
    for (let index = asked.start; index < asked.end; index++)
      hashes.push(kept.get(`${asked.height}/${index}`) ?? leafHash(""));
    return hashes;
  });
  return { tree, leaves, reads };
}

test("the root of every size is that of the definition, from few hashes", async () => {
  const { tree, leaves, reads } = stored();
  for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000, SIZE]) {
    reads.length = 0;
    assert.deepEqual(
      Buffer.from((await tree.at(size)).root()),
      Buffer.from(plainRoot(leaves.slice(0, size))),
      `of ${size}`,
    );
    const count = reads.reduce((sum, { start, end }) => sum + end - start, 0);
    assert.ok(count <= 255 * 2, `${count} hashes are read for ${size}`);
  }
});

test("proofs from stored hashes hold for every size and index that was tried", async () => {
  const { tree, leaves } = stored();
  for (const size of [1, 2, 255, 256, 257, 700, SIZE]) {
    const root = plainRoot(leaves.slice(0, size));
    for (const index of [0, 1, 128, 254, 255, 256, 511, 512, 699, SIZE - 1]) {
      if (index >= size) continue;
      const proof = await tree.proveInclusion(index, size);
      assert.ok(provesInclusion(proof, { index, size, root, leaf: leaves[index]! }), `${index} of ${size}`);
    }
    for (const oldSize of [0, 1, 100, 255, 256, 257, 512, 700, SIZE]) {
      if (oldSize > size) continue;
      const proof = await tree.proveConsistency(oldSize, size);
      const oldRoot = plainRoot(leaves.slice(0, oldSize));
      assert.ok(provesConsistency(proof, { oldSize, oldRoot, size, root }), `${oldSize} to ${size}`);
    }
  }
});

test("a tree that lacks leaves is refused", async () => {
  const tree = new StoredTree(async ({ start, end }) => Array.from({ length: end - start - 1 }, () => leafHash("")));
  await assert.rejects(tree.at(3), RangeError);
});
