/**
 * What is the memory store's own; what every store does is the contract's.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { Epoch } from "../../../src/stores/gate.ts";
import type { Unit, WriteId } from "../../../src/stores/units.ts";
import { rejectsWith, throwsWith } from "../../support/errors.ts";

function unit(id: string, message: Uint8Array = Buffer.from(id), epoch = 0): Unit {
  const createdAt = "2026-01-01T00:00:00.000Z";
  const wrapSet = { wraps: [], target: 1, missing: [] };
  const about = { scheme: 1, subject: parseSubject("ada"), about: [] } as const;
  const version = { version: parseVersion(1), ...about, createdAt, wrapSet, message };
  return {
    writeId: `write-${id}` as WriteId,
    address: parseAddress({ collection: "people", id }),
    base: null,
    change: { kind: "write", epoch: epoch as Epoch, versions: [version], subjects: [], sealedId: null },
  };
}

test("an option that is none, or is no capability that can be chosen, is refused by name", () => {
  assert.match(throwsWith("vault-option-invalid", () => memoryStore({ storage: {} } as object)).message, /storage/);
  assert.match(throwsWith("vault-option-invalid", () => memoryStore({ clok: 1 } as object)).message, /clok/);
  for (const capabilities of [{ atomicUnits: 0 }, { list: "eventual" }, { unitBytes: 1.5 }])
    throwsWith("vault-option-invalid", () => memoryStore({ capabilities }));
  assert.equal(memoryStore({ capabilities: { atomicUnits: 1 } }).capabilities.atomicUnits, 1);
});

test("two stores without a storage of their caller's have nothing in common", async () => {
  const [one, other] = [memoryStore(), memoryStore()];
  await one.records.apply([unit("a")], { atomic: true });
  assert.deepEqual(await other.records.collections(), []);
  assert.notEqual((await one.gate.current()).vault, (await other.gate.current()).vault);
});

test("what is beyond its capabilities is refused, and nothing of it is made", async () => {
  const store = memoryStore({ capabilities: { atomicUnits: 1, unitBytes: 10 } });
  await rejectsWith("store-failed", () => store.records.apply([unit("a"), unit("b")], { atomic: true }));
  await rejectsWith("store-failed", () => store.records.apply([unit("a", Buffer.alloc(11))], { atomic: true }));
  assert.deepEqual(await store.records.collections(), []);
  assert.deepEqual(await store.records.apply([unit("a"), unit("b")], { atomic: false }), [
    { kind: "made" },
    { kind: "made" },
  ]);
});

test("a transaction of the caller's holds others' changes and a flip until it ends; reads go on", async () => {
  const storage = new MemoryStorage();
  const store = memoryStore({ storage });
  const transaction = await storage.begin();
  const units = await store.transaction?.(transaction);
  assert.deepEqual(await units?.apply([unit("a")]), [{ kind: "made" }]);
  const order: string[] = [];
  const flipped = store.gate.flip({ from: 0 as Epoch, digest: "d" }).then((result) => order.push(result));
  const settled = store.records.outcome([unit("a")]).then(([outcome]) => order.push(outcome ?? "none"));
  assert.equal((await store.records.heads([unit("a").address]))[0]?.head, null);
  assert.deepEqual(order, []);
  transaction.commit();
  await Promise.all([flipped, settled]);
  assert.deepEqual(order, ["flipped", "made"]);
  assert.equal((await store.records.heads([unit("a").address]))[0]?.head?.version, 1);
});

test("a transaction that has ended, or is of another memory, is refused", async () => {
  const storage = new MemoryStorage();
  const store = memoryStore({ storage });
  const transaction = await storage.begin();
  const units = await store.transaction?.(transaction);
  await units?.apply([unit("a")]);
  transaction.rollback();
  throwsWith("transaction-refused", () => {
    transaction.commit();
  });
  await rejectsWith("transaction-refused", () => units!.apply([unit("b")]));
  const other = await new MemoryStorage().begin();
  for (const client of [transaction, other, {}, null, undefined])
    await rejectsWith("transaction-refused", () => store.transaction!(client));
  assert.deepEqual(await store.records.collections(), []);
  assert.deepEqual(await store.records.apply([unit("a")], { atomic: true }), [{ kind: "made" }]);
});
