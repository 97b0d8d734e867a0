/**
 * What is the memory key store's own; what every key store does is the contract's.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryKeyStore, MemoryKeyStorage, memoryStore } from "@strongroom/vault/memory";
import { throwsWith } from "../../support/errors.ts";

test("an option that is none is refused by name", () => {
  assert.match(throwsWith("vault-option-invalid", () => memoryKeyStore({ storage: {} } as object)).message, /storage/);
  assert.match(throwsWith("vault-option-invalid", () => memoryKeyStore({ clok: 1 } as object)).message, /clok/);
  throwsWith("vault-option-invalid", () => memoryKeyStore({ clock: 1 } as object));
});

test("two key stores without a storage of their caller's have nothing in common", async () => {
  const [one, other] = [memoryKeyStore(), memoryKeyStore()];
  await one.jobs.add("repair", ["all"]);
  assert.deepEqual(await other.jobs.list(), []);
  assert.notEqual((await one.gate.current()).vault, (await other.gate.current()).vault);
});

test("what is in a storage outlives the stores over it", async () => {
  const storage = new MemoryKeyStorage();
  const first = memoryKeyStore({ storage });
  await first.gate.bind("the vault");
  await first.close();
  assert.equal((await memoryKeyStore({ storage }).gate.current()).peer, "the vault");
});

test("a record store and a key store over memory note each other", async () => {
  const [records, keys] = [memoryStore(), memoryKeyStore()];
  const [vault, keyStore] = [(await records.gate.current()).vault, (await keys.gate.current()).vault];
  assert.deepEqual([await keys.gate.bind(vault), await records.gate.bind(keyStore)], [vault, keyStore]);
  assert.deepEqual([(await keys.gate.current()).peer, (await records.gate.current()).peer], [vault, keyStore]);
});
