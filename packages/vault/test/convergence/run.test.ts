/**
 * A run from one key set to another, from its beginning to its end: keys of people, and records in record scope.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "@strongroom/envelope";
import { parseAddress } from "@strongroom/vault";
import type { FleetMember, JobStore, KeyStore, Scope, Store, Vault } from "@strongroom/vault";
import {
  convergingVault,
  distinct,
  putPeople,
  requireAll,
  untilRun,
  wrapsOfKeys,
  wrapsOfVersions,
} from "../support/converging.ts";
import { until } from "../support/regional-vault.ts";
import { fileStorage, memoryStorage } from "../support/storage.ts";
import { storeWith } from "../support/store-with.ts";

const STORAGES = [
  ["in memory", async () => Promise.resolve(memoryStorage())],
  ["in SQLite", fileStorage],
] as const;

for (const [on, storageOf] of STORAGES) {
  test(`people's keys go from one key set to another, and everything reads: ${on}`, async (t) => {
    const { vault, a, keyStore } = await convergingVault(t, { storage: await storageOf(t) });
    await putPeople(vault, 20);
    assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["a"]);
    const begun = await vault.convergence.apply({ rate: 10_000 });
    assert.equal(begun.run?.state, "running");
    await untilRun(vault, "done");
    assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
    a.isAway = true;
    await requireAll(vault, 20);
  });

  test(`records in record scope are sealed anew, old messages are kept until they are dropped: ${on}`, async (t) => {
    const { vault, a, store } = await convergingVault(t, { scope: "record", storage: await storageOf(t) });
    await putPeople(vault, 20);
    await vault.convergence.apply({ rate: 10_000, keepOld: true });
    await untilRun(vault, "hold");
    const held = await wrapsOfVersions(store);
    assert.deepEqual([distinct(held.present), distinct(held.kept), held.kept.length], [["b"], ["a"], 20]);
    await vault.convergence.apply();
    await untilRun(vault, "done");
    const done = await wrapsOfVersions(store);
    assert.deepEqual([distinct(done.present), done.kept], [["b"], []]);
    a.isAway = true;
    await requireAll(vault, 20);
  });
}

test("undo after all was added brings back what was there before, with the new keys shut down", async (t) => {
  const { vault, b, store, keyStore } = await convergingVault(t, { scope: "record" });
  await putPeople(vault, 20);
  await vault.convergence.apply({ rate: 10_000, keepOld: true });
  await untilRun(vault, "hold");
  b.isAway = true;
  await vault.convergence.undo("the new keys are lost");
  await untilRun(vault, "undone");
  const after = await wrapsOfVersions(store);
  assert.deepEqual([distinct(after.present), after.kept], [["a"], []]);
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["a"]);
  await requireAll(vault, 20);
});

/** Names of the keys, or of the providers, that the messages of a store are under. */
const under = async (store: Store): Promise<readonly string[]> => distinct((await wrapsOfVersions(store)).present);

const MOVES: readonly {
  readonly from: Scope;
  readonly to: Scope;
  readonly after: (names: readonly string[]) => boolean;
}[] = [
  { from: "record", to: "subject", after: (names) => names.every((name) => name !== "a") },
  { from: "record", to: "tenant", after: (names) => names.every((name) => name !== "a") },
  { from: "subject", to: "record", after: (names) => names.join() === "a" },
  { from: "tenant", to: "record", after: (names) => names.join() === "a" },
];

for (const { from, to, after } of MOVES)
  test(`records go from ${from} scope to ${to} scope, and back where that is undone`, async (t) => {
    const { vault, another, storage, store } = await convergingVault(t, { scope: from });
    await putPeople(vault, 20);
    await vault.close();
    const moved = await another({ keys: { store: await storage.openKeys(), scope: to }, next: undefined as never });
    const before = await under(store);
    await moved.convergence.apply({ rate: 10_000, keepOld: true });
    await untilRun(moved, "hold");
    assert.ok(after(await under(store)), (await under(store)).join());
    await requireAll(moved, 20);
    await moved.convergence.undo("on second thoughts");
    await untilRun(moved, "undone");
    assert.deepEqual((await under(store)).toSorted(), before.toSorted());
    await moved.convergence.apply({ rate: 10_000 });
    await untilRun(moved, "done");
    assert.ok(after(await under(store)));
    assert.deepEqual((await wrapsOfVersions(store)).kept, []);
    await requireAll(moved, 20);
    assert.deepEqual((await moved.convergence.plan()).scopes, []);
  });

for (const { from, to, after } of MOVES)
  test(`a process that declares ${from} scope does what a run to ${to} scope asks, and is named before`, async (t) => {
    const { vault, another, storage, store } = await convergingVault(t, { scope: from });
    await putPeople(vault, 20);
    // It takes part in every run, but not in the passes.
    const opened = await storage.open();
    const lease: JobStore["lease"] = (request) =>
      request.job.startsWith("reseal-") ? Promise.resolve(null) : opened.jobs.lease(request);
    const moved = await another({
      ...{ keys: { store: await storage.openKeys(), scope: to }, next: undefined as never },
      store: storeWith(opened, { jobs: { lease } }),
    });
    const fleet = async (): Promise<readonly FleetMember[]> => (await moved.convergence.status()).fleet;
    await until(async () => (await fleet()).length === 2);
    assert.deepEqual((await fleet()).map(({ declaresScopes }) => declaresScopes).toSorted(), [false, true]);
    await assert.rejects(moved.convergence.apply({ rate: 10_000 }), {
      code: "run-refused",
      message: /would go on writing in other scopes/,
    });
    await moved.convergence.apply({ rate: 10_000, force: true });
    await untilRun(moved, "done");
    assert.ok(after(await under(store)), (await under(store)).join());
    await requireAll(moved, 20);
  });

for (const scope of ["record", "subject"] as const)
  test(`every record gets a data key of its own anew, in ${scope} scope`, async (t) => {
    const { vault, store } = await convergingVault(t, { scope });
    await putPeople(vault, 20);
    const messages = async (): Promise<ReadonlySet<string>> => {
      const found = new Set<string>();
      for (let n = 0; n < 20; n++) {
        const { stored } = await store.records.read(parseAddress({ collection: "people", id: `id-${n}` }), null);
        found.add(inspect(stored!.message).messageId);
      }
      return found;
    };
    const before = await messages();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await vault.convergence.apply({ rate: 10_000, fresh: true });
    await untilRun(vault, "done");
    const after = await messages();
    assert.equal([...after].filter((id) => before.has(id)).length, 0);
    await requireAll(vault, 20);
  });

/** Kinds of people's keys that a key store has. */
const kinds = async ({ keys }: KeyStore): Promise<string> => {
  const counts = await keys.counts();
  return (["subject", "tenant-subject"] as const).filter((kind) => counts[kind] > 0).join();
};

for (const [from, to, kind, was] of [
  ["subject", "tenant", "tenant-subject", "subject"],
  ["tenant", "subject", "subject", "tenant-subject"],
] as const)
  test(`a whole vault goes from ${from} scope to ${to} scope: keys change their kind, and no message is touched`, async (t) => {
    const { vault, another, storage, store, keyStore } = await convergingVault(t, { scope: from });
    await putPeople(vault, 20);
    await vault.subjects.renewKey("people/id-3");
    await vault.put({ collection: "people", id: "id-3" }, { n: 3 });
    const stamps = async (): Promise<readonly (number | undefined)[]> =>
      Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const address = parseAddress({ collection: "people", id: `id-${n}` });
          return (await store.records.read(address, null)).stored?.stamp.revision;
        }),
      );
    await vault.close();
    const moved = await another({ keys: { store: await storage.openKeys(), scope: to }, next: undefined as never });
    // Written meanwhile in the new scope: a key of the other kind is there already.
    await moved.put({ collection: "people", id: "id-5" }, { n: 5 });
    assert.equal(await kinds(keyStore), "subject,tenant-subject");
    await moved.convergence.apply({ rate: 10_000, keepOld: true });
    await untilRun(moved, "hold");
    assert.equal(await kinds(keyStore), kind);
    assert.deepEqual(
      await stamps(),
      Array.from({ length: 20 }, () => 0),
    );
    await requireAll(moved, 20);
    const fresh = await another({ keys: { store: await storage.openKeys(), scope: to }, next: undefined as never });
    await requireAll(fresh, 20);
    await fresh.put({ collection: "people", id: "id-3" }, { n: 3 });
    await fresh.put({ collection: "people", id: "id-5" }, { n: 5 });
    assert.equal(await kinds(keyStore), kind, "no key is made anew");
    await fresh.convergence.undo("it was better before");
    await untilRun(fresh, "undone");
    assert.equal(await kinds(keyStore), was);
    await requireAll(fresh, 20);
  });

test("once a run has ended, what it did is told at once, and stays told", async (t) => {
  const { vault, another } = await convergingVault(t);
  await putPeople(vault, 20);
  await vault.convergence.apply({ rate: 10_000 });
  await untilRun(vault, "done");
  const progressOf = async (of: Vault): Promise<{ done: number; bytes: number; isTimed: boolean }> => {
    const { done, bytes, seconds } = (await of.convergence.status()).run!.progress;
    return { done, bytes, isTimed: seconds > 0 };
  };
  const told = await progressOf(vault);
  assert.ok(told.done >= 20 && told.bytes > 0 && told.isTimed, JSON.stringify(told));
  await vault.close();
  assert.deepEqual(await progressOf(await another()), told);
});
