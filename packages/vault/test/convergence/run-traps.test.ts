/**
 * What a run must stand: processes that stop, that disagree, that are late; items that fail; hands in the database.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Keyring } from "@strongroom/envelope";
import type { KeyPlace, KeyStore, Lease, RepairOptions, Vault } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { addWraps } from "../../src/convergence/add-wraps.ts";
import type { AddRules, KeyWorkDependencies } from "../../src/convergence/add-wraps.ts";
import { dropWraps } from "../../src/convergence/drop-wraps.ts";
import type { DropRules } from "../../src/convergence/drop-wraps.ts";
import { RunNote } from "../../src/convergence/run.ts";
import { parseNext } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { RegionWraps } from "../../src/keys/region-wraps.ts";
import {
  convergingVault,
  distinct,
  keySetOf,
  putPeople,
  QUICK_RUN,
  requireAll,
  testKeySet,
  untilRun,
  wrapNames,
  wrapsOfKeys,
} from "../support/converging.ts";
import type { TestKeySet } from "../support/converging.ts";
import { rejectsWith } from "../support/errors.ts";
import { hand } from "../support/keys-file.ts";
import { until } from "../support/regional-vault.ts";
import { fileStorage } from "../support/storage.ts";
import { overlaid } from "../support/store-with.ts";

const ADD: AddRules = { materials: null, isProven: () => true, isRepair: false };
const DROP: DropRules = { materials: null, isProven: () => true, wasProven: () => false };
const FAST = { rate: 10_000 };

interface OneKey {
  readonly a: TestKeySet;
  readonly b: TestKeySet;
  readonly store: KeyStore;
  readonly dependencies: KeyWorkDependencies;
  readonly place: KeyPlace;
  readonly flip: (to: TestKeySet) => Promise<void>;
  readonly names: () => Promise<readonly string[]>;
}

/** One key under A, in a store of its own. */
async function oneKey(): Promise<OneKey> {
  const [a, b] = [testKeySet("a"), testKeySet("b")];
  const store = memoryKeyStore();
  const dependencies: KeyWorkDependencies = {
    ...{ store, vault: (await store.gate.current()).vault, clock: () => new Date(), signal: undefined },
    keySets: new KeySets(store.gate, keySetOf(a), keySetOf(b)),
  };
  const name = { kind: "subject", owner: randomUUID() } as const;
  const fresh = await new RegionWraps(dependencies).make(name, 1, undefined);
  fresh.key.wipe();
  await store.keys.create([{ epoch: fresh.epoch, name: null, key: fresh.row }]);
  const place = { ...name, version: fresh.row.version };
  const flip = async ({ digest }: TestKeySet): Promise<void> => {
    await dependencies.keySets.flipTo(digest);
  };
  const names = async (): Promise<readonly string[]> =>
    wrapNames((await store.keys.version(place.owner, place.version)).key!);
  return { a, b, store, dependencies, place, flip, names };
}

test("stopped between wrap and commit over a flip, a process writes nothing under the set that was left", async () => {
  const { a, b, store, dependencies, place, flip, names } = await oneKey();
  await flip(b);
  await addWraps(dependencies, place, null, ADD);
  let tries = 0;
  const rewrap: typeof store.inventory.rewrap = async (change) => {
    // Another process goes back while this one has its wrap in hand.
    if (++tries === 1) await store.gate.flip({ from: change.epoch, digest: a.digest });
    return store.inventory.rewrap(change);
  };
  const late = overlaid(store, { inventory: overlaid(store.inventory, { rewrap }) });
  const outcome = await dropWraps({ ...dependencies, store: late }, place, null, { since: null, rules: DROP });
  assert.deepEqual([outcome.kind, tries, await names()], ["settled", 2, ["a"]], "it dropped for the set in force");
});

test("the same of a wrap: it is made anew under the set in force", async () => {
  const { b, store, dependencies, place, flip, names } = await oneKey();
  const c = testKeySet("c");
  await dependencies.keySets.learn(keySetOf(c));
  await dependencies.keySets.learn(keySetOf(b));
  await flip(b);
  let tries = 0;
  const rewrap: typeof store.inventory.rewrap = async (change) => {
    if (++tries === 1) await store.gate.flip({ from: change.epoch, digest: c.digest });
    return store.inventory.rewrap(change);
  };
  const late = overlaid(store, { inventory: overlaid(store.inventory, { rewrap }) });
  await addWraps({ ...dependencies, store: late }, place, null, ADD);
  assert.deepEqual([await names(), tries], [["c", "a"], 2]);
});

test("whoever's lease was taken over writes nothing, wrapping or dropping", async () => {
  const { b, store, dependencies, place, flip, names } = await oneKey();
  await flip(b);
  await store.jobs.add("converge-keys", ["00"]);
  const lease = (await store.jobs.lease({ job: "converge-keys", holder: "one", ms: 1 })) as Lease;
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.jobs.lease({ job: "converge-keys", holder: "heir", ms: 60_000 });
  assert.deepEqual(await addWraps(dependencies, place, lease, ADD), { kind: "overtaken" });
  assert.deepEqual(await names(), ["a"]);
  await addWraps(dependencies, place, null, ADD);
  assert.deepEqual(await dropWraps(dependencies, place, lease, { since: null, rules: DROP }), { kind: "overtaken" });
  assert.deepEqual(await names(), ["b", "a"]);
});

test("a wrap that does not open is not stored where wraps are proven, and the old ones stay", async () => {
  const { a, b, dependencies, place, flip, names } = await oneKey();
  const other = testKeySet("b");
  // Wraps under another key of the same name: nobody who has B opens it.
  const lying: Keyring = { ...b.keyring, onEncrypt: (...args) => other.keyring.onEncrypt(...args) };
  const keySets = new KeySets(dependencies.store.gate, keySetOf(a), { ...keySetOf(b), keyring: lying });
  await flip(b);
  await rejectsWith("wraps-still-missing", () => addWraps({ ...dependencies, keySets }, place, null, ADD));
  assert.deepEqual(await names(), ["a"]);
  // Without the proof it is believed; a drop that proves finds it, and takes nothing.
  await addWraps({ ...dependencies, keySets }, place, null, { ...ADD, isProven: () => false });
  assert.deepEqual(await names(), ["b", "a"]);
  await rejectsWith("wraps-still-missing", () => dropWraps(dependencies, place, null, { since: null, rules: DROP }));
  assert.deepEqual(await names(), ["b", "a"]);
  await addWraps(dependencies, place, null, ADD);
  await dropWraps(dependencies, place, null, { since: null, rules: DROP });
  assert.deepEqual(await names(), ["b"]);
  a.isAway = true;
  (
    await new RegionWraps(dependencies).open((await dependencies.store.keys.version(place.owner, place.version)).key!)
  ).key.wipe();
});

test("an account that says more than the wraps do takes no wrap away", async () => {
  const { b, store, dependencies, place, flip, names } = await oneKey();
  await flip(b);
  const { stamp: seen, wrapSet } = (await store.keys.version(place.owner, place.version)).key!;
  const wraps = [...wrapSet!.wraps, { provider: "strongroom-test", key: "b", material: null }];
  const { epoch } = await store.gate.current();
  const lie = { place, seen, epoch, wraps: null, moved: null, wrapSet: { ...wrapSet!, wraps }, lease: null };
  await store.inventory.rewrap({ ...lie, at: new Date().toISOString() });
  const outcome = await dropWraps(dependencies, place, null, { since: null, rules: DROP });
  assert.deepEqual([outcome.kind, await names()], ["overtaken", ["a"]]);
});

test("a key of another generation gets all its wraps anew", async () => {
  const { a, b, store, dependencies, place, names } = await oneKey();
  const { keyring, keySet } = b;
  const next = parseNext({ keyring, keySet, generation: 2 }, { ...keySetOf(a), generation: 1 });
  const keySets = new KeySets(store.gate, keySetOf(a), next);
  await keySets.flip();
  await addWraps({ ...dependencies, keySets }, place, null, ADD);
  assert.deepEqual(await names(), ["b"]);
});

test("a key has no more wraps than a row takes: what it would lose stays, and it says so", async () => {
  const { b, store, dependencies, place, flip } = await oneKey();
  await flip(b);
  const { stamp: seen, wrapSet, wraps } = (await store.keys.version(place.owner, place.version)).key!;
  const { epoch } = await store.gate.current();
  const many = Array.from({ length: 64 }, () => wraps[0]!);
  await store.inventory.rewrap({
    ...{ place, seen, epoch, wraps: many, moved: null, wrapSet: wrapSet!, lease: null, at: new Date().toISOString() },
  });
  await rejectsWith("wraps-would-be-lost", () => addWraps(dependencies, place, null, ADD));
});

/** B refuses to wrap the keys of these people. */
function refusing(b: TestKeySet, owners: Set<string>): Keyring {
  return {
    ...b.keyring,
    onEncrypt: (materials, call) => {
      const owner = materials.encryptionContext.pairs.find(([name]) => name === "branch-key-id")?.[1] ?? "";
      if (owners.has(owner)) return Promise.reject(new Error("refused"));
      return b.keyring.onEncrypt(materials, call);
    },
  };
}

/** A vault whose B refuses some people's keys. */
async function refusingVault(
  t: TestContext,
  waits: RepairOptions = { itemWaitMs: 20, longestItemWaitMs: 50 },
): Promise<{
  readonly vault: Vault;
  readonly keyStore: KeyStore;
  readonly a: TestKeySet;
  readonly refused: Set<string>;
  readonly person: () => Promise<string>;
}> {
  const opened = await convergingVault(t, { repair: { ...QUICK_RUN, intervalMs: 1_000_000 } });
  const refused = new Set<string>();
  const { keyStore, b } = opened;
  await opened.vault.close();
  const next = { keyring: refusing(b, refused), keySet: b.keySet };
  const repair = { ...QUICK_RUN, ...waits };
  const vault = await opened.another({ next, repair });
  const person = async (): Promise<string> => (await keyStore.keys.people({ after: null, limit: 1 }))[0]!;
  return { vault, keyStore, a: opened.a, refused, person };
}

test("an item that fails is listed, holds no other up, is not done, and the run ends once its reason is gone", async (t) => {
  const { vault, keyStore, refused, person } = await refusingVault(t);
  await putPeople(vault, 10);
  refused.add(await person());
  await vault.convergence.apply(FAST);
  await until(async () => (await vault.convergence.failures()).failures.length === 1);
  await until(async () => (await wrapsOfKeys(keyStore)).filter((names) => names.includes("b")).length >= 10);
  const { failures } = await vault.convergence.failures();
  assert.equal(failures[0]?.place && "owner" in failures[0].place ? failures[0].place.owner : null, await person());
  assert.equal(failures[0]?.code, "encryption-failed");
  const { run } = await vault.convergence.status();
  assert.deepEqual([run?.state, run?.phase], ["running", "add"]);
  assert.ok(
    (await wrapsOfKeys(keyStore)).every((names) => names.includes("a")),
    "nothing was dropped",
  );
  refused.clear();
  await untilRun(vault, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
  assert.deepEqual((await vault.convergence.failures()).failures, []);
});

test("what has failed is tried at once when somebody says that the run is to go on", async (t) => {
  const { vault, keyStore, refused, person } = await refusingVault(t, { itemWaitMs: 3_600_000 });
  await putPeople(vault, 10);
  refused.add(await person());
  await vault.convergence.apply(FAST);
  await until(async () => (await vault.convergence.failures()).failures.length === 1);
  const { failures } = await vault.convergence.failures();
  await vault.convergence.resume();
  await until(async () => (await vault.convergence.failures()).failures[0]?.attempts === 2);
  refused.clear();
  await vault.convergence.resume();
  await untilRun(vault, "done");
  assert.equal(failures[0]?.attempts, 1, "it was not tried by itself");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
});

test("a process that ends between adding and dropping: another one goes on and ends the run", async (t) => {
  const { vault, another, keyStore, a } = await convergingVault(t);
  await putPeople(vault, 10);
  await vault.convergence.apply({ ...FAST, keepOld: true });
  await untilRun(vault, "hold");
  await vault.convergence.apply();
  await vault.close();
  const heir = await another();
  await untilRun(heir, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
  a.isAway = true;
  await requireAll(heir, 10);
});

test("undo with the new keys shut down brings back exactly the old wraps of keys; new people come with it", async (t) => {
  const { vault, b, keyStore } = await convergingVault(t);
  await putPeople(vault, 10);
  await vault.convergence.apply({ ...FAST, keepOld: true });
  await untilRun(vault, "hold");
  await putPeople(vault, 3, 10);
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)).toSorted(), ["b", "b+a"]);
  await vault.convergence.undo("we go back");
  await untilRun(vault, "undone");
  b.isAway = true;
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["a"]);
  await requireAll(vault, 13);
  await rejectsWith("run-absent", () => vault.convergence.undo("again"));
});

test("a run that drops cannot be undone", async (t) => {
  const { vault } = await convergingVault(t);
  await putPeople(vault, 3);
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  await rejectsWith("run-absent", () => vault.convergence.undo("too late"));
  const { run } = await vault.convergence.status();
  assert.equal(run?.undoable, false);
});

test("people who are made during the run, restricted or erased meanwhile, are no obstacle", async (t) => {
  const { vault, keyStore, a } = await convergingVault(t);
  await putPeople(vault, 30);
  await vault.subjects.restrict("people/id-1");
  await vault.convergence.apply({ ...FAST, rate: 200 });
  await putPeople(vault, 5, 30);
  await keyStore.keys.erase([(await keyStore.keys.people({ after: null, limit: 1 }))[0]!], new Date().toISOString());
  await untilRun(vault, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
  a.isAway = true;
  await vault.subjects.release("people/id-1");
  assert.equal((await vault.get({ collection: "people", id: "id-34" })).document["n"], 34);
});

test("two runs at once are refused, also of two processes that begin at the same moment", async (t) => {
  const { vault, another } = await convergingVault(t);
  await putPeople(vault, 30);
  const other = await another();
  const begun = await Promise.allSettled([
    vault.convergence.apply({ rate: 50 }),
    other.convergence.apply({ rate: 50 }),
  ]);
  const refused = begun.flatMap((one) => (one.status === "rejected" ? [(one.reason as { code: string }).code] : []));
  assert.equal(refused.length, 1);
  assert.ok(["run-under-way", "run-refused"].includes(refused[0]!), refused[0]);
  await rejectsWith("run-under-way", () => vault.convergence.apply());
});

test("two processes share a run, and one of them moves each phase on", async (t) => {
  const { vault, another, keyStore } = await convergingVault(t);
  await putPeople(vault, 40);
  await another();
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
});

test("a process that does not know the new keys does not work on the run", async (t) => {
  const { vault, another, keyStore } = await convergingVault(t);
  await putPeople(vault, 5);
  await vault.convergence.apply({ ...FAST, keepOld: true });
  await untilRun(vault, "hold");
  await vault.convergence.undo("back");
  await untilRun(vault, "undone");
  await vault.convergence.apply({ ...FAST, keepOld: true });
  await vault.close();
  const c = testKeySet("c");
  const ignorant = await another({ next: { keyring: c.keyring, keySet: c.keySet } });
  const before = await wrapsOfKeys(keyStore);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(await wrapsOfKeys(keyStore), before);
  assert.equal((await ignorant.convergence.status()).run?.progress.waits, "key-set-unknown");
});

test("paused, a run stands still; resumed, it goes on; cancelled, another one goes on from there", async (t) => {
  const { vault, keyStore } = await convergingVault(t);
  await putPeople(vault, 60);
  await vault.convergence.apply({ rate: 40 });
  await until(async () => (await wrapsOfKeys(keyStore)).some((names) => names.includes("b")));
  await vault.convergence.pause("lunch");
  const { run } = await vault.convergence.status();
  assert.deepEqual([run?.state, run?.reason], ["paused", "lunch"]);
  await new Promise((resolve) => setTimeout(resolve, 800));
  const paused = await wrapsOfKeys(keyStore);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(await wrapsOfKeys(keyStore), paused);
  assert.ok(paused.some((names) => !names.includes("b")));
  await vault.convergence.resume();
  await until(async () => (await wrapsOfKeys(keyStore)).filter((names) => names.includes("b")).length > 50);
  await vault.convergence.cancel("enough");
  await rejectsWith("run-absent", () => vault.convergence.pause("no"));
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
});

test("a row that a hand puts back under the old key after the run is found by the next look", async (t) => {
  const { vault, keyStore } = await convergingVault(t);
  await putPeople(vault, 5);
  const sets = async (): Promise<KeyPlace> => {
    const ids = (await keyStore.inventory.sets()).map(({ id }) => id);
    const items = await keyStore.inventory.list({ sets: ids, after: null, limit: 100 });
    return items.find(({ place }) => place?.kind === "subject")!.place!;
  };
  const place = await sets();
  const old = (await keyStore.keys.version(place.owner, place.version)).key!;
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  assert.deepEqual((await vault.convergence.probe("a")).items, []);
  const { stamp: seen } = (await keyStore.keys.version(place.owner, place.version)).key!;
  const { epoch } = await keyStore.gate.current();
  const back = { place, seen, epoch, wraps: old.wraps, moved: null, wrapSet: old.wrapSet!, lease: null };
  await keyStore.inventory.rewrap({ ...back, at: new Date().toISOString() });
  assert.deepEqual((await vault.convergence.probe("a")).items, ["keys"]);
  const { stores } = await vault.convergence.plan();
  assert.ok(stores.some(({ lines }) => lines.some(({ change }) => change === "add-and-drop")));
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  assert.deepEqual((await vault.convergence.probe("a")).items, []);
});

test("a kept message whose version a hand took away keeps no run from its end", async (t) => {
  const storage = await fileStorage(t);
  const { vault, store } = await convergingVault(t, { storage, scope: "record" });
  await putPeople(vault, 3);
  await vault.convergence.apply({ ...FAST, keepOld: true });
  await untilRun(vault, "hold");
  hand(storage.path, "delete from versions where key = (select min(key) from versions)");
  const kept = await store.kept.list({ after: null, limit: 10 });
  assert.deepEqual([kept.length, kept.filter(({ place }) => place === null).length], [3, 1]);
  await vault.convergence.apply();
  await untilRun(vault, "done");
  assert.deepEqual(await store.kept.list({ after: null, limit: 10 }), []);
});

test("a note that nobody writes is refused, and nothing works on it", async (t) => {
  const { vault, store } = await convergingVault(t);
  await putPeople(vault, 1);
  await vault.convergence.apply(FAST);
  await untilRun(vault, "done");
  const note = new RunNote(store.notes);
  assert.equal((await note.read())?.state, "done");
  const text = (await store.notes.list("convergence/run"))[0]?.text ?? "";
  const forged = JSON.stringify({ ...(JSON.parse(text) as object), phase: "drop", state: "running", more: 1 });
  await store.notes.replace("convergence/run", forged, text);
  await rejectsWith("store-newer", () => vault.convergence.status());
  await rejectsWith("store-newer", () => vault.convergence.apply());
});
