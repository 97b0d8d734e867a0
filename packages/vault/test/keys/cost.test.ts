/**
 * The cost of keys: the same traffic in each scope, by the bounds of the cache, and beside what a KMS was really asked.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { keyCostBetween } from "@strongroom/vault";
import { KeyCostMeter } from "../../src/keys/cost.ts";
import type { KeyUse } from "../../src/keys/cost.ts";
import { DEFAULT_KEY_CACHE } from "../../src/options.ts";
import type { KeyCacheSettings } from "../../src/options.ts";
import { movableTime } from "../support/key-sets.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { QUICK_KEYRING, regionalVault } from "../support/regional-vault.ts";
import { aesKeyring } from "../support/vault.ts";

const meterOf = (cache: Partial<KeyCacheSettings> = {}): KeyCostMeter =>
  new KeyCostMeter({
    cache: { ...DEFAULT_KEY_CACHE, ...cache },
    regions: 3,
    keyrings: [aesKeyring()],
    clock: () => new Date(),
  });

const of = (person: number, scope: KeyUse["scope"] = "subject", tenant = "default"): KeyUse => ({
  scope,
  owner: `person ${person}`,
  tenant,
});

/** People who are all new, then as many reads of each. */
function imported(meter: KeyCostMeter, { people, reads }: { readonly people: number; readonly reads: number }): void {
  for (let person = 0; person < people; person++) meter.wrote({ ...of(person), isNew: true });
  for (let round = 0; round < reads; round++) for (let person = 0; person < people; person++) meter.read(of(person));
}

test("a call a region for each new person, and none while their keys are held", () => {
  const meter = meterOf();
  imported(meter, { people: 200, reads: 2 });
  const { inScope, traffic, present } = meter.report();
  assert.deepEqual(inScope, { record: 3 * 200 + 400, subject: 3 * 200, tenant: 3 });
  assert.deepEqual(traffic, { writes: 200, reads: 400, newOwners: 200, newTenants: 1 });
  assert.deepEqual(present, { record: 0, subject: 3 * 200, tenant: 0 });
});

test("one call a person and cache age, and one a tenant and cache age", (t) => {
  const { later } = movableTime(t);
  const meter = meterOf({ maxAgeMs: 1_000 });
  imported(meter, { people: 10, reads: 1 });
  for (let age = 0; age < 4; age++) {
    later(1_001);
    for (let person = 0; person < 10; person++) for (let read = 0; read < 3; read++) meter.read(of(person));
  }
  assert.deepEqual(meter.report().inScope, { record: 30 + 10 + 120, subject: 30 + 40, tenant: 3 + 4 });
});

test("with a bound of ten uses one call in ten, and for a tenant's key, which seals nothing, still one an age", () => {
  const meter = meterOf({ maxUses: 10 });
  for (let read = 0; read < 1_000; read++) meter.read(of(1));
  assert.deepEqual(meter.report().inScope, { record: 1_000, subject: 100, tenant: 3 });
});

test("people beyond the capacity are opened anew, the least recently used first", () => {
  const meter = meterOf({ capacity: 2 });
  for (const person of [1, 2, 1, 3, 1, 2]) meter.read(of(person));
  assert.equal(meter.report().inScope.subject, 4, "1, 2, 3, and 2 again, which 3 drove out");
});

test("tenants that are not the same have keys that are not the same", () => {
  const meter = meterOf();
  for (let person = 0; person < 40; person++) meter.wrote({ ...of(person, "tenant", `t${person % 4}`), isNew: true });
  assert.deepEqual(meter.report().present, { record: 0, subject: 0, tenant: 12 });
  assert.equal(meter.report().traffic.newTenants, 4);
});

test("scopes side by side: each has its own traffic, and all of it is judged in each", () => {
  const meter = meterOf();
  meter.wrote({ ...of(1, "record"), isNew: true, target: 2 });
  meter.read(of(1, "record"));
  meter.wrote({ ...of(2, "subject"), isNew: true, target: 4 });
  meter.wrote({ ...of(3, "tenant"), isNew: true, target: 1 });
  meter.openedKey(of(1, "record"));
  meter.openedKey(of(4, "subject"));
  const { present, inScope, regions, traffic } = meter.report();
  assert.deepEqual(regions, { records: 2, keys: 4 }, "a key under a tenant's says nothing of regions");
  assert.deepEqual(present, { record: 2 + 1, subject: 4 + 1, tenant: 4 });
  assert.deepEqual(inScope, { record: 3 * 2 + 1, subject: 3 * 4 + 1, tenant: 4 });
  assert.deepEqual([traffic.writes, traffic.reads], [3, 1]);
});

test("a window is what came between two reports", () => {
  const meter = meterOf();
  imported(meter, { people: 5, reads: 1 });
  const earlier = meter.report();
  meter.read(of(1));
  meter.read(of(99));
  const between = keyCostBetween(earlier, meter.report());
  assert.equal(between.from, earlier.to);
  assert.deepEqual(between.traffic, { writes: 0, reads: 2, newOwners: 0, newTenants: 0 });
  assert.deepEqual(between.inScope, { record: 2, subject: 1, tenant: 0 });
  assert.equal(between.counted, null, "a keyring that tells no health counts nothing");
});

/** What regions were asked for other reasons than this traffic. */
function counted(t: TestContext): ReturnType<typeof regionalVault> {
  return regionalVault(t, { keyring: { ...QUICK_KEYRING, proveWraps: "off" } });
}

test("what the keyrings counted, since the meter was made and by purpose, is what record scope comes to", async (t) => {
  const { vault, keyring } = await counted(t);
  await vault.put({ collection: "people", id: "before" }, {});
  const keyrings = [keyring, keyring];
  const meter = new KeyCostMeter({ cache: DEFAULT_KEY_CACHE, regions: 3, keyrings, clock: () => new Date() });
  for (let person = 0; person < 4; person++) {
    const address = { collection: "people", id: String(person) };
    const { wraps } = await vault.put(address, { person });
    meter.wrote({ ...of(person, "record"), isNew: true, target: wraps.target });
    await vault.get(address);
    meter.read(of(person, "record"));
  }
  const { present, counted: real } = meter.report();
  assert.equal(present.record, 4 * 3 + 4);
  assert.deepEqual(real, { calls: 16, byPurpose: { first: 8, wrap: 8 } });
});

test("a list of sealed ids opens each person's key once, and uses none of it up", async (t) => {
  const { vault, another, calls } = await keyedVault(t, { collections: { people: { ids: "sealed" } } });
  const items = Array.from({ length: 12 }, (_, n) => ({ id: `p${n}@example.com`, document: { n } }));
  await vault.putMany("people", items, { onExisting: "replace" });
  // The vault's own two keys are made, and opened once, besides; they are in none of what is counted.
  assert.deepEqual([vault.keyCost()?.present.subject, calls], [12, { encrypt: 12 + 2, decrypt: 2 }]);
  const before = calls.decrypt;
  const reader = await another({ collections: { people: { ids: "sealed" } } });
  for (let times = 0; times < 3; times++) await reader.list("people");
  // Besides, the vault's own key, which makes a hash of each id.
  assert.deepEqual([reader.keyCost()?.present.subject, calls.decrypt - before], [12, 12 + 1]);
  const meter = meterOf({ maxUses: 2 });
  for (let times = 0; times < 9; times++) meter.openedKey(of(1));
  assert.equal(meter.report().present.subject, 1);
});

test("no owner and no tenant is in what is told", () => {
  const meter = meterOf();
  meter.wrote({ scope: "subject", owner: "ada@example.com", tenant: "acme", isNew: true });
  assert.doesNotMatch(JSON.stringify(meter.report()), /ada|acme/);
});
