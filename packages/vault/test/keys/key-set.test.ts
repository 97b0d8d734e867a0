/**
 * The digest of a key set, and the options that make one.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { keySetDigest, MAX_KEY_NAME_BYTES, MAX_KEY_SET_NAMES, openVault } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { throwsWith } from "../support/errors.ts";
import { aesKeyring } from "../support/vault.ts";

test("a digest is the SHA-256 of a label and of the names in the order of their bytes, each after its length", () => {
  const expected = createHash("sha256")
    .update("strongroom:key-set:1")
    .update(Buffer.of(0, 0, 0, 2))
    .update("k1")
    .update(Buffer.of(0, 0, 0, 3))
    .update("é1")
    .digest("hex");
  assert.equal(keySetDigest(["é1", "k1"]), expected);
});

test("other names are another digest, however they are cut, and another order is the same", () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", "é", "1") }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(names, names, (one, other) => {
      const same = [...one].sort().join("|") === [...other].sort().join("|");
      assert.equal(keySetDigest(one) === keySetDigest(other), same);
      assert.equal(keySetDigest([...one].reverse()), keySetDigest(one));
      assert.notEqual(keySetDigest(one), keySetDigest(null));
    }),
  );
});

test("names that are none are refused, and so are too many and the same one twice", () => {
  const many = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `k${n}`);
  for (const names of [
    [],
    [""],
    ["a", "a"],
    [1],
    ["a\n"],
    ["\ud800"],
    ["é".repeat(MAX_KEY_NAME_BYTES / 2 + 1)],
    many(MAX_KEY_SET_NAMES + 1),
    "arn",
    {},
  ])
    throwsWith("vault-option-invalid", () => keySetDigest(names as never));
  assert.match(keySetDigest(many(MAX_KEY_SET_NAMES)), /^[0-9a-f]{64}$/);
});

test("a vault refuses key sets that cannot be, and a next one that is its own", async () => {
  const [store, keyring] = [memoryStore(), aesKeyring()];
  for (const wrong of [
    { keySet: [] },
    { keySet: "arn" },
    { next: null },
    { next: { keyring } },
    { next: { keySet: ["a"] } },
    { next: { keyring: {}, keySet: ["a"] } },
    { next: { keyring, keySet: ["a"], kyeSet: ["b"] } },
    { keySet: ["a", "b"], next: { keyring, keySet: ["b", "a"] } },
  ])
    await assert.rejects(openVault({ store, keyring, ...wrong } as never), { code: "vault-option-invalid" });
});
