/**
 * Many keys at once over a keyring that has room for few: a batch waits and goes on with what it has, and whatever is
 * asked for alone is refused at once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "@strongroom/vault";
import { mapKeys } from "../../src/keys/many-keys.ts";
import { rejectsWith } from "../support/errors.ts";
import { QUICK_KEYRING, regionalVault } from "../support/regional-vault.ts";
import type { RegionalVault } from "../support/regional-vault.ts";
import { testStorage } from "../support/storage.ts";

const overloaded = (): VaultError => new VaultError("keyring-overloaded", "no room");
const people = (count: number): readonly { readonly id: string; readonly document: { readonly n: number } }[] =>
  Array.from({ length: count }, (_, n) => ({ id: `p-${n}`, document: { n } }));

/** Its keyring takes two at once, and whoever waits for longer than a moment is refused. */
async function narrow(t: TestContext): Promise<RegionalVault> {
  const storage = await testStorage(t);
  const keyring = { ...QUICK_KEYRING, operationsAtOnce: 2, operationsWaitMs: 10, hedgeRatio: 0, hedgeReserve: 0 };
  return regionalVault(t, { storage, keyring, keys: { store: await storage.openKeys() } });
}

test("a batch of new people waits for room in the keyring, and makes no key twice", async (t) => {
  const { vault, keyring } = await narrow(t);
  const results = await vault.putMany("people", people(120), { onExisting: "replace" });
  assert.ok(results.every(({ outcome }) => outcome === "created"));
  const { writes, writesFailed, overloaded: refused } = keyring.counters();
  assert.ok(refused > 0, "there was no room");
  assert.deepEqual([writes - refused, writesFailed - refused], [120 + 2, 0]);
});

test("a batch of people whose keys are to be opened waits as well", async (t) => {
  const { vault, another, storage, keyring } = await narrow(t);
  await vault.putMany("people", people(120), { onExisting: "replace" });
  const before = keyring.counters();
  const later = await another({ keys: { store: await storage.openKeys() } });
  const results = await later.putMany("people", people(120), { onExisting: "replace" });
  assert.ok(results.every(({ outcome }) => outcome === "replaced"));
  const { reads, overloaded: refused } = keyring.counters();
  assert.ok(refused > before.overloaded, "there was no room");
  assert.equal(reads - before.reads - (refused - before.overloaded), 121);
});

test("as many at a time as there is room for, and more when there is more", async () => {
  let [room, underWay, most, refused] = [3, 0, 0, 0];
  const work = async (): Promise<void> => {
    if (underWay >= room) {
      refused++;
      throw overloaded();
    }
    most = Math.max(most, ++underWay);
    await delay(1);
    underWay--;
  };
  const items = Array.from({ length: 300 }, (_, n) => n);
  await mapKeys(items, undefined, work);
  assert.equal(most, 3);
  assert.ok(refused <= 5 + 300 / 16, `${refused} were refused`);
  room = 100;
  await mapKeys(items, undefined, work);
  assert.equal(most, 8);
});

test("results are in the order of the items, whatever was refused", async () => {
  const items = Array.from({ length: 100 }, (_, n) => n);
  const results = await mapKeys(items, undefined, async (item, index) => {
    await delay(Math.random());
    if (Math.random() < 0.2) throw overloaded();
    return item * 1_000 + index;
  });
  assert.deepEqual(
    results,
    items.map((n) => n * 1_001),
  );
});

test("what finds no room again and again fails with it, once nothing else is under way", async () => {
  const tries = new Map<number, number>();
  const work = mapKeys([1, 2, 3], undefined, async (item) => {
    tries.set(item, (tries.get(item) ?? 0) + 1);
    await delay(1);
    if (item === 2) throw overloaded();
  });
  await rejectsWith("keyring-overloaded", () => work);
  assert.ok((tries.get(2) ?? 0) >= 6);
  assert.deepEqual([tries.get(1), tries.get(3)], [1, 1]);
});

test("another failure is not tried again, nor what is asked for alone", async () => {
  for (const [items, error] of [
    [[1, 2], new VaultError("wraps-below-minimum", "few")],
    [[1], overloaded()],
  ] as const) {
    let calls = 0;
    const work = async (): Promise<void> => {
      calls++;
      throw error;
    };
    await rejectsWith(error.code, () => mapKeys<number, unknown>(items, undefined, work));
    assert.ok(calls <= items.length);
  }
});

test("whoever gives up while a batch waits is not kept", async () => {
  const controller = new AbortController();
  let calls = 0;
  const work = async (): Promise<void> => {
    if (++calls === 2)
      setImmediate(() => {
        controller.abort();
      });
    throw overloaded();
  };
  await rejectsWith("aborted", () => mapKeys([1, 2], controller.signal, work));
  assert.ok(calls <= 3);
});
