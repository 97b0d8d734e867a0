/**
 * Part of the contract of every store: the row of its gate; and of those that have a key set, which one is in force.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { STORE_READER, STORE_WRITER } from "../stores/gate.ts";
import { EPOCH, epoch } from "./changes.ts";
import type { AnyStore, Contract } from "./contract.ts";

export function gateRowContract(contract: Contract<AnyStore>): void {
  contract("a new store has its name, no key set, and rules that this program knows", async ({ storage, another }) => {
    const store = await another();
    const { vault, peer, minReader, minWriter } = await store.gate.current();
    assert.deepEqual([vault.length, peer], [36, null]);
    assert.equal((await (await another()).gate.current()).vault, vault, "the same in every store");
    assert.ok(minReader <= STORE_READER && minWriter <= STORE_WRITER);
    const fresh = await storage.open();
    try {
      assert.deepEqual(await fresh.gate.current(), { ...(await store.gate.current()) });
    } finally {
      await fresh.close();
    }
  });

  contract("the first peer that is noted is the peer, for good, whoever asks later", async ({ store, another }) => {
    const [first, second] = [randomUUID(), randomUUID()];
    assert.equal(await store.gate.bind(first), first);
    const other = await another();
    assert.equal(await other.gate.bind(second), first);
    assert.equal(await store.gate.bind(first), first);
    assert.equal((await other.gate.current()).peer, first);
  });

  contract("of many that note a peer one decides, and all are told it", async ({ store, another }) => {
    const stores = [store, await another(), await another()];
    const peers = Array.from({ length: 12 }, () => randomUUID());
    const told = await Promise.all(peers.map((peer, index) => stores[index % 3]!.gate.bind(peer)));
    const { peer: noted } = await store.gate.current();
    assert.ok(noted !== null && (peers as readonly string[]).includes(noted));
    assert.deepEqual([...new Set(told)], [noted]);
  });
}

export function flipsContract(contract: Contract<AnyStore>): void {
  contract("a flip goes one on from the epoch that it names, and from no other", async ({ store, another }) => {
    const other = await another();
    const before = await store.gate.current();
    assert.deepEqual([before.epoch, before.digest], [1, "the first key set"]);
    for (const from of [0, 2, 7])
      assert.equal(await store.gate.flip({ from: epoch(from), digest: "no" }), "moved", `from ${from}`);
    assert.deepEqual(await other.gate.current(), before);
    assert.equal(await other.gate.flip({ from: EPOCH.first, digest: "second" }), "flipped");
    assert.deepEqual(await store.gate.current(), { ...before, epoch: 2, digest: "second" });
    assert.equal(await store.gate.flip({ from: EPOCH.first, digest: "second" }), "moved");
  });

  contract("of many flips from one epoch exactly one is made", async ({ store, another }) => {
    const stores = [store, await another()];
    const flips = Array.from({ length: 16 }, (_, index) =>
      stores[index % 2]!.gate.flip({ from: EPOCH.first, digest: `by ${index}` }),
    );
    const results = await Promise.all(flips);
    assert.equal(results.filter((result) => result === "flipped").length, 1);
    const { epoch: now, digest } = await store.gate.current();
    assert.deepEqual([now, digest], [2, `by ${results.indexOf("flipped")}`]);
  });

  contract("a peer outlasts a flip", async ({ store, another }) => {
    const other = await another();
    await store.gate.bind(randomUUID());
    const before = await other.gate.current();
    await other.gate.flip({ from: EPOCH.first, digest: "second" });
    assert.deepEqual(await store.gate.current(), { ...before, epoch: 2, digest: "second" });
  });
}
