/** A record store and a key store that belong together, and what is noticed when they do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { memoryKeyStore, memoryStore, MemoryKeyStorage, MemoryStorage } from "@strongroom/vault/memory";
import { openVault } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { aesKeyring } from "../support/vault.ts";

const keyring = aesKeyring();

async function opened(t: TestContext, records: MemoryStorage, keys: MemoryKeyStorage): Promise<Vault> {
  const store = memoryStore({ storage: records });
  const vault = await openVault({ store, keyring, keys: { store: memoryKeyStore({ storage: keys }) } });
  defer(t, () => vault.close());
  return vault;
}

const idOf = async (storage: MemoryKeyStorage): Promise<string | null> =>
  (await memoryKeyStore({ storage }).gate.current()).peer;

test("a fresh pair binds, and is a pair ever after; no third store comes in between", async (t) => {
  const [a, b] = [new MemoryStorage(), new MemoryStorage()];
  const [keysOfA, keysOfB, fresh] = [new MemoryKeyStorage(), new MemoryKeyStorage(), new MemoryKeyStorage()];
  await (await opened(t, a, keysOfA)).put({ collection: "people", id: "1" }, {});
  await opened(t, a, keysOfA);
  await opened(t, b, keysOfB);
  await rejectsWith("key-store-foreign", () => opened(t, a, keysOfB));
  await rejectsWith("key-store-foreign", () => opened(t, new MemoryStorage(), keysOfA));
  await rejectsWith("key-store-lost", () => opened(t, a, fresh));
  assert.equal(await idOf(fresh), null, "what was given by mistake stays free");
  await opened(t, new MemoryStorage(), fresh);
});

test("of two processes that bind one new store to two key stores at once, one is told", async (t) => {
  const records = new MemoryStorage();
  const keys = [new MemoryKeyStorage(), new MemoryKeyStorage()];
  const outcomes = await Promise.allSettled(keys.map((storage) => opened(t, records, storage)));
  const failed = outcomes.flatMap((one) => (one.status === "rejected" ? [(one.reason as { code: string }).code] : []));
  assert.deepEqual(failed, ["key-store-lost"]);
});

test("a key store that lacks one of the newest people is behind; one that has their tombstone, name or key is not", async (t) => {
  const [records, keys] = [new MemoryStorage(), new MemoryKeyStorage()];
  const vault = await opened(t, records, keys);
  for (const scope of ["1", "2", "3"]) await vault.put({ collection: "people", id: scope }, {});
  await opened(t, records, keys);
  const store = memoryStore({ storage: records });
  const people = await store.subjects.newest(3);
  const real = memoryKeyStore({ storage: keys });
  await real.keys.erase([people[0]!.id], new Date().toISOString());
  await opened(t, records, keys);
  const without = (id: string) => ({
    ...real,
    gate: real.gate,
    keys: {
      ...real.keys,
      names: async (ids: readonly string[]) => ids.map((each) => (each === id ? null : {})),
      active: async (names: readonly { owner: string }[]) => names.map(() => ({ key: null })),
      erased: (ids: never) => real.keys.erased(ids),
    },
    inventory: real.inventory,
    jobs: real.jobs,
    requireRoom: () => real.requireRoom(),
    ping: () => real.ping(),
    close: () => real.close(),
  });
  const open = (id: string) =>
    openVault({ store: memoryStore({ storage: records }), keyring, keys: { store: without(id) as never } });
  const error = await rejectsWith("key-store-behind", () => open(people[1]!.id));
  assert.match(error.message, /1 of the 3 people/);
  await (await open(people[0]!.id)).close();
});

test("both stores are closed with the vault, and asked whether they answer", async (t) => {
  const [records, keys] = [memoryStore(), memoryKeyStore()];
  const vault = await openVault({ store: records, keyring, keys: { store: keys } });
  defer(t, () => vault.close());
  await vault.ping();
  await keys.close();
  await rejectsWith("store-closed", () => vault.ping());
  await vault.close();
  await rejectsWith("store-closed", () => records.ping());
  await rejectsWith("store-closed", () => vault.get({ collection: "people", id: "1" }));
});
