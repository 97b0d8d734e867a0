/**
 * A run that takes the key store into another shredding generation, and what whoever has everything can open afterwards:
 * all old stores, all present ones, and whatever is in the KMS.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { keySetDigest, openVault } from "@strongroom/vault";
import type { KeyRow, KeyStore, Scope, Vault, VaultOptions } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { distinct, QUICK_RUN, testKeySet, untilRun, wrapsOfKeys } from "../support/converging.ts";
import type { TestKeySet } from "../support/converging.ts";
import { memoryStorage } from "../support/storage.ts";
import type { TestStorage } from "../support/storage.ts";

interface Shredding {
  readonly storage: TestStorage;
  readonly records: TestKeySet;
  /** Of generation 1, and of generation 2. */
  readonly one: TestKeySet;
  readonly two: TestKeySet;
  readonly open: (more?: Partial<VaultOptions>) => Promise<Vault>;
  readonly keyStore: KeyStore;
}

async function shredding(t: TestContext, scope: Scope): Promise<Shredding> {
  const storage = memoryStorage();
  const [records, one, two] = [testKeySet("records"), testKeySet("one"), testKeySet("two")];
  const open = async (more: Partial<VaultOptions> = {}): Promise<Vault> => {
    const vault = await openVault({
      ...{ store: await storage.open(), keyring: records.keyring, keySet: records.keySet, repair: QUICK_RUN },
      keys: {
        ...{ store: await storage.openKeys(), scope, keyring: one.keyring, keySet: one.keySet },
        next: { keyring: two.keyring, keySet: two.keySet, generation: 2 },
      },
      ...more,
    });
    defer(t, () => vault.close());
    return vault;
  };
  const keyStore = await storage.openKeys();
  defer(t, () => keyStore.close());
  return { storage, records, one, two, open, keyStore };
}

const people = (count: number): readonly { readonly id: string; readonly document: { readonly n: number } }[] =>
  Array.from({ length: count }, (_, n) => ({ id: `id-${n}`, document: { n } }));

async function rowsOf(keyStore: KeyStore): Promise<readonly KeyRow[]> {
  const sets = (await keyStore.inventory.sets()).map(({ id }) => id);
  const items = await keyStore.inventory.list({ sets, after: null, limit: 10_000 });
  return Promise.all(items.map(async ({ place }) => (await keyStore.keys.version(place!.owner, place!.version)).key!));
}

for (const scope of ["subject", "tenant"] as const)
  test(`every living key goes to the next generation, everybody reads, and nothing is under the old keys: ${scope}`, async (t) => {
    const { one, two, open, keyStore } = await shredding(t, scope);
    const vault = await open();
    await vault.putMany("people", people(40), { onExisting: "replace" });
    const before = await rowsOf(keyStore);
    assert.deepEqual([...new Set(before.map(({ generation }) => generation))], [1]);
    await vault.convergence.apply({ keepOld: true });
    await untilRun(vault, "hold");
    const after = await rowsOf(keyStore);
    assert.deepEqual([...new Set(after.map(({ generation }) => generation))], [2]);
    assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["two"]);
    assert.equal(after.length, before.length, "the tenant's key and the one that finds people were followed by others");
    // Keys that find people, or wrap theirs, are others; everybody's own are the same, under the same versions.
    const versions = (rows: readonly KeyRow[], kind: string): readonly string[] =>
      rows.flatMap((row) => (row.kind === kind ? [row.version] : [])).sort();
    const person = scope === "subject" ? "subject" : "tenant-subject";
    assert.deepEqual(versions(after, person), versions(before, person));
    for (const kind of scope === "subject" ? ["lookup"] : ["lookup", "tenant"])
      assert.equal(
        versions(after, kind).some((version) => versions(before, kind).includes(version)),
        false,
        `no ${kind} key of before is left`,
      );
    one.isAway = true;
    const again = await open({ repair: QUICK_RUN });
    for (let n = 0; n < 40; n++)
      assert.deepEqual((await again.get({ collection: "people", id: `id-${n}` })).document, { n });
    await again.put({ collection: "people", id: "new" }, { n: -1 });
    assert.equal((await again.verify({ part: "all", regions: "each" } as never)).findings.length, 0);
    await vault.convergence.apply({});
    await untilRun(vault, "done");
    assert.equal((await keyStore.gate.current()).digest, keySetDigest(two.keySet, 2));
  });

test("an old lookup key with an old store is of no use against the present one, and the other way round", async (t) => {
  const { open, keyStore } = await shredding(t, "subject");
  const vault = await open();
  await vault.putMany("people", people(10), { onExisting: "replace" });
  const ids = await keyStore.keys.people({ after: null, limit: 100 });
  const before = await keyStore.keys.names(ids);
  await vault.convergence.apply({ keepOld: true });
  await untilRun(vault, "hold");
  const after = await keyStore.keys.names(ids);
  for (const [index, name] of before.entries())
    assert.notDeepEqual(Buffer.from(after[index]!.tag), Buffer.from(name!.tag), "another hash");
  assert.deepEqual(
    await keyStore.keys.resolve(before.map((name) => name!.tag)),
    ids.map(() => null),
  );
});

test("gone back before old keys are disabled: everything is of the generation of before", async (t) => {
  for (const scope of ["subject", "tenant"] as const) {
    const { two, open, keyStore } = await shredding(t, scope);
    const vault = await open();
    await vault.putMany("people", people(12), { onExisting: "replace" });
    await vault.convergence.apply({ keepOld: true });
    await untilRun(vault, "hold");
    await vault.put({ collection: "people", id: "new" }, { n: 12 });
    await vault.convergence.undo("another time");
    await untilRun(vault, "undone");
    assert.deepEqual([...new Set((await rowsOf(keyStore)).map(({ generation }) => generation))], [1]);
    two.isAway = true;
    const again = await open();
    for (let n = 0; n < 12; n++)
      assert.deepEqual((await again.get({ collection: "people", id: `id-${n}` })).document, { n });
    assert.deepEqual((await again.get({ collection: "people", id: "new" })).document, { n: 12 });
  }
});

test("a process that believes in the generation of before makes no key of it, in either scope", async (t) => {
  for (const scope of ["subject", "tenant"] as const) {
    const { one, two, open, keyStore } = await shredding(t, scope);
    const vault = await open({ repair: undefined } as never);
    await vault.put({ collection: "people", id: "first" }, { n: 0 });
    // It has heard of the gate a moment ago, and holds keys of before.
    const { epoch } = await keyStore.gate.current();
    await keyStore.gate.flip({ from: epoch, digest: keySetDigest(two.keySet, 2) });
    one.calls.encrypt = 0;
    await vault.put({ collection: "people", id: "second" }, { n: 1 });
    const rows = await rowsOf(keyStore);
    const persons = rows.filter(({ kind }) => kind.endsWith("subject"));
    assert.deepEqual(persons.map(({ generation }) => generation).sort(), [1, 2]);
    const [, late] = [...persons].sort((a, b) => a.generation - b.generation);
    if (scope === "tenant") {
      const tenant = rows.find(({ kind, generation }) => kind === "tenant" && generation === 2);
      assert.equal(late?.wrapSet?.wraps[0]?.material, tenant?.version, "and it is under the tenant's key of now");
    }
    assert.deepEqual((await vault.get({ collection: "people", id: "first" })).document, { n: 0 });
  }
});

test("a next generation needs other keys, a higher number, and dedicated keys before it", async () => {
  const [records, one] = [testKeySet("records"), testKeySet("one")];
  const attempt = async (keys: object): Promise<unknown> =>
    openVault({
      ...{ store: await memoryStorage().open(), keyring: records.keyring, keySet: records.keySet },
      keys: { store: await memoryStorage().openKeys(), ...keys },
    }).catch((error: unknown) => (error as Error).message);
  const next = (generation: number, keySet = ["two"]): object => ({ keyring: one.keyring, keySet, generation });
  const own = { keyring: one.keyring, keySet: ["one"] };
  assert.match(String(await attempt({ ...own, next: next(2, ["one", "two"]) })), /has none of the keys of the one/);
  assert.match(String(await attempt({ ...own, generation: 3, next: next(2) })), /not below that of the set before/);
  assert.match(String(await attempt({ ...own, next: next(1.5) })), /whole number/);
});

test("two sets of the same keys that differ in their generation are two, from the second on", () => {
  assert.equal(keySetDigest(["k"]), keySetDigest(["k"], 1));
  assert.equal(keySetDigest(["k"]), keySetDigest(["k"], 0));
  assert.notEqual(keySetDigest(["k"], 2), keySetDigest(["k"], 1));
  assert.notEqual(keySetDigest(["k"], 2), keySetDigest(["k"], 3));
});
