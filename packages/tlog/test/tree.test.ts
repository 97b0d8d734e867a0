import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactRange, EMPTY_ROOT, leafHash, nodeHash } from "@strongroom/tlog/tree";

/** The tree of eight leaves that implementations of RFC 6962 test with: leaf (hexadecimal) -> the root up to it. */
const KNOWN_ROOTS: readonly (readonly [string, string])[] = [
  ["", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
  ["00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
  ["10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
  ["2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
  ["3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
  ["40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
  ["5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
  ["606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
];

test("the roots of RFC 6962's trees are those that every implementation has", () => {
  const range = new CompactRange();
  assert.equal(
    Buffer.from(EMPTY_ROOT).toString("hex"),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  assert.deepEqual(range.root(), EMPTY_ROOT);
  for (const [leaf, root] of KNOWN_ROOTS) {
    range.append(leafHash(Buffer.from(leaf, "hex")));
    assert.equal(Buffer.from(range.root()).toString("hex"), root);
  }
});

test("text is hashed as UTF-8, and a leaf is never taken for a node", () => {
  assert.deepEqual(leafHash("Zürich 🏔"), leafHash(Buffer.from("Zürich 🏔", "utf8")));
  const [a, b] = [leafHash("a"), leafHash("b")];
  assert.notDeepEqual(leafHash(Buffer.concat([a, b])), nodeHash(a, b));
  assert.throws(() => nodeHash(a, b.subarray(1)), RangeError);
  assert.throws(() => {
    new CompactRange().append(a.subarray(1));
  }, RangeError);
});
