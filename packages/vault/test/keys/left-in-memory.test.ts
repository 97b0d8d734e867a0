/**
 * Batches that fail in the middle: at the keyring, at either store, by a caller who gives up, by an item that is
 * refused. Whatever comes of them, no key is left in memory once the vault is closed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isVaultError, openVault, VaultError } from "@strongroom/vault";
import type { PutManyItem, Scope, Vault } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { overlaid, storeWith } from "../support/store-with.ts";
import { WatchedKeyring } from "../support/subject-keys.ts";

const COLLECTIONS = {
  people: { subject: { field: "who" } },
  hidden: { subject: { field: "who" }, ids: "sealed" },
  prices: { subject: "none" },
} as const;

/** Small numbers that follow from each other, so that what failed fails again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

interface Faulty {
  readonly vault: Vault;
  readonly keyring: WatchedKeyring;
  /** From now on one of so many calls fails; 0: none. */
  oneIn: number;
}

async function faulty(t: TestContext, scope: Scope, next: (below: number) => number): Promise<Faulty> {
  const [inner, keyring] = [memoryStore(), new WatchedKeyring()];
  const faults = { oneIn: 0 };
  const perhaps = (code: "store-failed" | "outcome-unknown"): void => {
    if (faults.oneIn > 0 && next(faults.oneIn) === 0) throw new VaultError(code, "it fails here");
  };
  keyring.before = () => {
    perhaps("store-failed");
  };
  const store = storeWith(inner, {
    records: {
      apply: async (units, options) => {
        perhaps("store-failed");
        return inner.records.apply(units, options);
      },
    },
  });
  const keys = memoryKeyStore();
  const keyStore = overlaid(keys, {
    keys: overlaid(keys.keys, {
      create: async (creations) => {
        perhaps("outcome-unknown");
        return keys.keys.create(creations);
      },
      names: async (ids) => {
        perhaps("store-failed");
        return keys.keys.names(ids);
      },
    }),
  });
  const vault = await openVault({
    store,
    keyring,
    keys: { store: keyStore, scope, cache: { maxAgeMs: 300_000, maxUses: 3, capacity: 8 } },
    collections: COLLECTIONS,
  });
  t.after(() => vault.close());
  return Object.assign(faults, { vault, keyring });
}

for (const scope of ["record", "subject", "tenant"] satisfies Scope[])
  test(`no key is left of batches that failed in ${scope} scope`, async (t) => {
    const next = numbers(7);
    const world = await faulty(t, scope, next);
    const { vault, keyring } = world;
    const ended = { well: 0, failed: 0 };
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
        ended.well++;
      } catch (error) {
        assert.ok(isVaultError(error), String(error));
        ended.failed++;
      }
    };
    for (let round = 0; round < 60; round++) {
      world.oneIn = round % 3 === 0 ? 0 : 6;
      const collection = Object.keys(COLLECTIONS)[round % 3] ?? "";
      const items = Array.from({ length: 12 }, (): PutManyItem => {
        const who = next(10) === 0 ? {} : { who: `person-${next(20)}` };
        const about = next(4) === 0 ? { about: [`person-${next(20)}`] } : {};
        return { id: `record-${next(30)}`, document: { ...who, n: round }, ...about };
      });
      const giving = new AbortController();
      if (round % 4 === 3)
        setImmediate(() => {
          giving.abort();
        });
      const first = items[0]!;
      await Promise.all([
        attempt(() => vault.putMany(collection, items, { onExisting: "replace", signal: giving.signal })),
        attempt(() => vault.put({ collection, id: first.id }, first.document, { signal: giving.signal })),
        attempt(() => vault.get({ collection, id: first.id }, { signal: giving.signal })),
        attempt(() => vault.subjects.renewKey(`person-${next(20)}`)),
        attempt(() => vault.subjects.state(`person-${next(20)}`)),
      ]);
    }
    world.oneIn = 0;
    assert.ok(ended.well > 20 && ended.failed > 20, JSON.stringify(ended));
    await vault.close();
    assert.ok(keyring.given.length > 50);
    assert.equal(keyring.alive, 0);
  });
