/**
 * A hand in the rows of keys and names: whatever it puts into a column is told as damage, or counts for nothing where it
 * has no name to be told by, and fails nothing else.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { KeyStore } from "@strongroom/vault";
import { sqliteKeyStore } from "@strongroom/vault/sqlite";
import { EPOCH } from "../../../src/store-contract/changes.ts";
import { columns, keyOnly, newcomer, newKey, newName } from "../../../src/store-contract/key-changes.ts";
import { newPeople } from "../../../src/store-contract/people.ts";
import { rejectsWith } from "../../support/errors.ts";
import { hand, keysFile } from "../../support/keys-file.ts";

type Person = ReturnType<typeof newcomer>;

interface Given {
  readonly path: string;
  readonly store: KeyStore;
  readonly ada: Person;
  readonly eve: Person;
}

const person = (id: Person["name"]["id"]): Person => ({ ...newcomer(id), epoch: EPOCH.none });

/** Ada, whose rows are changed, and Eve, with whose everything must stay as it is. */
async function given(t: TestContext): Promise<Given> {
  const { path, store } = await keysFile(t);
  const [ada, eve] = newPeople(2).map(person) as [Person, Person];
  assert.deepEqual(await store.keys.create([ada, eve]), [{ kind: "made" }, { kind: "made" }]);
  return { path, store, ada, eve };
}

async function othersGoOn({ store, eve, path }: Given): Promise<void> {
  const { keys } = store;
  assert.deepEqual(await keys.resolve([eve.name.tag]), [eve.name.id]);
  const [read] = await keys.active([eve.key]);
  assert.deepEqual([read?.damage, columns(read!.key!)], [undefined, columns(eve.key)]);
  assert.equal((await keys.names([eve.name.id]))[0]?.sealed.length, eve.name.sealed.length);
  assert.ok((await keys.people({ after: null, limit: 9 })).includes(eve.name.id));
  const [newer] = newPeople(1).map(person);
  assert.deepEqual(await keys.create([newer!]), [{ kind: "made" }]);
  assert.ok((await keys.counts()).subject >= 2);
  const again = await sqliteKeyStore(path);
  await again.ping();
  await again.close();
}

/** A column of Ada's key -> what is put there. */
const OF_KEYS: Readonly<Record<string, readonly string[]>> = {
  ordinal: ["0", "-1", "9223372036854775807"],
  version: ["x''", "zeroblob(16)", "zeroblob(100000)"],
  generation: ["-1", "9007199254740992"],
  created_at: ["-1", "9007199254740992", "253402300800000"],
  key_check: ["x''", "zeroblob(31)", "zeroblob(100000)"],
  revision: ["-1", "9223372036854775807"],
  wrap_set: ["-1", "9223372036854775807"],
  wraps: [
    "x''",
    "x'00'",
    "x'ffffffff'",
    "x'00000001'",
    "x'000000010a'",
    "x'0000000100' || x'00000000'",
    "zeroblob(11)",
    "x'00000001ff' || zeroblob(8)",
    "zeroblob(2000000)",
  ].map((value) => `cast(${value} as blob)`),
};

for (const [column, values] of Object.entries(OF_KEYS)) {
  for (const value of values) {
    test(`told as damage, and nobody else fails: keys.${column} = ${value}`, async (t) => {
      const all = await given(t);
      hand(all.path, `update keys set ${column} = ${value} where key = 1`);
      const [active] = await all.store.keys.active([all.ada.key]);
      const damage = new RegExp(`keys\\.${column}`);
      assert.equal(active?.key, null);
      assert.match(active.damage ?? "", damage);
      const [newest] = await all.store.keys.versions(all.ada.key);
      assert.match(newest?.damage ?? "", damage);
      const { key, damage: told } = await all.store.keys.version(all.ada.key.owner, all.ada.key.version);
      assert.equal(key, null);
      if (column !== "version") assert.match(told ?? "", damage);
      await othersGoOn(all);
      await all.store.keys.erase([all.ada.name.id], "2026-05-05T00:00:00.000Z");
      assert.deepEqual(await all.store.keys.version(all.ada.key.owner, all.ada.key.version), { key: null });
    });
  }
}

test("a kind that is none: the version is told as damaged, whoever asks for it", async (t) => {
  const all = await given(t);
  for (const value of ["-1", "9", "9223372036854775807"]) {
    hand(all.path, `update keys set kind = ${value} where key = 1`);
    assert.match((await all.store.keys.version(all.ada.key.owner, all.ada.key.version)).damage ?? "", /keys\.kind/);
    const sets = (await all.store.inventory.sets()).map(({ id }) => id);
    const items = await all.store.inventory.list({ sets, after: null, limit: 9 });
    assert.deepEqual(items.map(({ place }) => place === null).sort(), [
      false,
      ...items.slice(2).map(() => false),
      true,
    ]);
    await othersGoOn(all);
  }
});

/** Of owners and names: what is put there -> whether Ada still has a name, and a key. */
const OF_OWNERS: readonly (readonly [sql: string, name: boolean, key: boolean])[] = [
  ["update owners set name = x'00' where owner = 1", false, false],
  ["update owners set name = zeroblob(100000) where owner = 1", false, false],
  ["update owners set name = '' where owner = 1", false, false],
  ["update owners set name = 17 where owner = 1", false, false],
  ["update owners set name = 1.5 where owner = 1", false, false],
  ["update owners set owner = 9223372036854775807 where owner = 1", false, false],
  ["update owners set erased_at = '' where owner = 1", false, false],
  ["delete from owners where owner = 1", false, false],
  ["update names set owner = 77 where owner = 1", false, true],
  ["update names set tag = x'00' where owner = 1", false, true],
  ["update names set tag = zeroblob(100000) where owner = 1", false, true],
  ["update keys set owner = -9223372036854775808 where key = 1", true, false],
];

for (const [sql, hasName, hasKey] of OF_OWNERS) {
  test(`what has no name to be told by counts for nothing: ${sql}`, async (t) => {
    const all = await given(t);
    hand(all.path, sql);
    const { keys, inventory } = all.store;
    assert.deepEqual(await keys.resolve([all.ada.name.tag]), [hasName ? all.ada.name.id : null]);
    assert.equal((await keys.active([all.ada.key]))[0]?.key !== null, hasKey);
    const sets = (await inventory.sets()).map(({ id }) => id);
    const items = await inventory.list({ sets, after: null, limit: 9 });
    assert.equal(items.length, 2, "what there is to be wrapped anew is still found");
    assert.equal(await inventory.any(sets), true);
    await othersGoOn(all);
  });
}

test("a sealed name that is none is no name; its tag still finds the person", async (t) => {
  const all = await given(t);
  for (const value of ["x''", "zeroblob(2000)"]) {
    hand(all.path, `update names set sealed = ${value} where owner = 1`);
    assert.deepEqual(await all.store.keys.names([all.ada.name.id]), [null]);
    assert.deepEqual(await all.store.keys.resolve([all.ada.name.tag]), [all.ada.name.id]);
  }
  await othersGoOn(all);
});

test("a name whose person is gone is free again, and is given to who is made", async (t) => {
  const all = await given(t);
  hand(all.path, "delete from owners where owner = 1");
  const [bob] = newPeople(1).map(person);
  const again = { ...bob!, name: newName(bob!.name.id, { tag: all.ada.name.tag }) };
  assert.deepEqual(await all.store.keys.create([again]), [{ kind: "made" }]);
  assert.deepEqual(await all.store.keys.resolve([all.ada.name.tag]), [bob!.name.id]);
  await othersGoOn(all);
});

test("a wrap set that is none leaves the key as it is, and is told as unknown", async (t) => {
  const all = await given(t);
  hand(all.path, "update wrap_sets set form = '{}'");
  const [read] = await all.store.keys.active([all.ada.key]);
  assert.deepEqual([read?.damage, read?.key?.wrapSet], [undefined, null]);
  assert.deepEqual(
    (await all.store.inventory.sets()).map(({ set }) => set),
    [null],
  );
});

test("wrapped keys of one are not another's: rows that were swapped are told by nobody, and read as they lie", async (t) => {
  const all = await given(t);
  hand(all.path, "update keys set wraps = (select wraps from keys as other where other.key = 3 - keys.key)");
  const [ada] = await all.store.keys.active([all.ada.key]);
  // The store sees into no wrap: the key check and the context of each wrap refuse it.
  assert.deepEqual(
    ada?.key?.wraps.map(({ ciphertext }) => Buffer.from(ciphertext).toString("hex")),
    all.eve.key.wraps.map(({ ciphertext }) => Buffer.from(ciphertext).toString("hex")),
  );
  assert.deepEqual(Buffer.from(ada.key.check), Buffer.from(all.ada.key.check));
});

test("numbers that a hand put beyond what a store gives stop nobody who is made after them", async (t) => {
  const all = await given(t);
  hand(all.path, "insert into owners values (9223372036854775807, 'odd', null)");
  hand(
    all.path,
    `insert into keys select 9223372036854775807, 77, kind, ordinal, version, generation, created_at, key_check, revision,
      wrap_set, bucket, since, wraps from keys where key = 1`,
  );
  const tenant = keyOnly(newKey("default", { kind: "tenant" }), EPOCH.none);
  assert.deepEqual(await all.store.keys.create([tenant]), [{ kind: "made" }]);
  assert.equal((await all.store.keys.active([{ kind: "tenant", owner: "default" }]))[0]?.key?.ordinal, 1);
  await othersGoOn(all);
});

test("a peer that is none is told to who asks for it, and stops nobody else", async (t) => {
  const all = await given(t);
  hand(all.path, "update gate set peer = 'x'");
  await rejectsWith("store-altered", () => all.store.gate.current());
  await othersGoOn(all);
});
