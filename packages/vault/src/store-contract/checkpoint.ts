/**
 * Part of a key store's contract: the audit's newest checkpoint is replaced only by whoever has seen what it replaces.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { KeyStore } from "../stores/key-store.ts";
import { MAX_CHECKPOINT_BYTES } from "../stores/outbox-limits.ts";
import { EPOCH, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newEntry, newStream } from "./entries.ts";
import { newPerson } from "./people.ts";

export function checkpointContract(contract: Contract<KeyStore>): void {
  contract("there is no checkpoint at first, and then the one that was put there", async ({ store, another }) => {
    const other = await another();
    assert.equal(await other.checkpoint.read(), null);
    assert.equal(await store.checkpoint.replace("strongroom/1\n1\nroot=\n\n\u2014 key sig=\n", null), "replaced");
    assert.equal(await other.checkpoint.read(), "strongroom/1\n1\nroot=\n\n\u2014 key sig=\n");
    assert.equal(await other.checkpoint.replace("two", "strongroom/1\n1\nroot=\n\n\u2014 key sig=\n"), "replaced");
    await store.gate.flip({ from: EPOCH.first, digest: "second" });
    await store.gate.bind(randomUUID());
    assert.equal(await store.checkpoint.read(), "two", "it outlasts a flip");
  });

  contract("a checkpoint is replaced only by whoever has seen it", async ({ store, another }) => {
    const other = await another();
    for (const seen of ["one", ""]) assert.equal(await store.checkpoint.replace("one", seen), "overtaken");
    assert.equal(await store.checkpoint.read(), null);
    assert.equal(await store.checkpoint.replace("one", null), "replaced");
    for (const seen of [null, "One", "one ", "on", "one\n"])
      assert.equal(await other.checkpoint.replace("two", seen), "overtaken", String(seen));
    assert.equal(await store.checkpoint.read(), "one");
    assert.equal(await other.checkpoint.replace("two", "one"), "replaced");
    assert.equal(await store.checkpoint.replace("three", "one"), "overtaken");
  });

  contract("of many that replace one checkpoint exactly one does", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let round = 0; round < 5 * rounds; round++) {
      const seen = await store.checkpoint.read();
      const notes = Array.from({ length: 12 }, (_, index) => `round ${round}, by ${index}`);
      const results = await Promise.all(notes.map((note, index) => stores[index % 2]!.checkpoint.replace(note, seen)));
      const made = notes.filter((_, index) => results[index] === "replaced");
      assert.equal(made.length, 1);
      assert.equal(await store.checkpoint.read(), made[0]);
    }
  });

  contract("a checkpoint is as long as one may be, and what is longer or none is refused", async ({ store }) => {
    const longest = "\u2014".repeat((MAX_CHECKPOINT_BYTES / 3) | 0) + "x";
    assert.equal(Buffer.byteLength(longest), MAX_CHECKPOINT_BYTES);
    assert.equal(await store.checkpoint.replace(longest, null), "replaced");
    for (const note of [`${longest}x`, "", "a\u0000b", "\ud800", null as unknown as string])
      await rejects("store-failed", () => store.checkpoint.replace(note, longest));
    assert.equal(await store.checkpoint.read(), longest);
  });

  contract("nobody is active in a key store: an append about somebody is refused", async ({ store }) => {
    await rejects("store-failed", () => store.outbox.append([newEntry(newStream(), 1)], [newPerson()]));
    assert.deepEqual(await store.outbox.take(9), []);
  });

  contract("a checkpoint of a store that is closed is refused", async ({ another }) => {
    const closed = await another();
    await closed.close();
    await rejects("store-closed", () => closed.checkpoint.read());
    await rejects("store-closed", () => closed.checkpoint.replace("one", null));
  });
}
