/**
 * A hand in the rows of kept messages and notes: whatever it puts there is told, or counts for nothing, and fails nothing
 * else.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { EPOCH, idOf, rewrapOf, wrapSet } from "../../../src/store-contract/changes.ts";
import type { KeptItem } from "../../../src/stores/kept.ts";
import { hand } from "../../support/keys-file.ts";
import { at, live, make, place, remove, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

interface Given {
  readonly path: string;
  readonly store: Store;
}

/** Ada, whose kept row is changed, and Eve, whose is not. */
async function given(t: TestContext): Promise<Given> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  for (const id of ["ada", "eve"]) {
    await make(store, write(id, null, 1));
    const change = await rewrapOf(store, id, 1, { keeps: true, epoch: EPOCH.none, wrapSet: wrapSet(["new"]) });
    assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
  }
  return { path, store };
}

const all = ({ kept }: Store): Promise<readonly KeptItem[]> => kept.list({ after: null, limit: 9 });
const ofAda = "(select key from versions join records using (record) where id = 'ada')";

async function restoreOf(store: Store, id: string): Promise<string> {
  const { place: found, seen, epoch, at: when } = await rewrapOf(store, id, 1, { epoch: EPOCH.none });
  return (await store.kept.restore({ place: found, seen, epoch, at: when, lease: null })).kind;
}

async function evesIsThere({ store }: Given): Promise<void> {
  assert.equal((await store.kept.read(place("eve", 1)))?.message.length, Buffer.byteLength("message 1"));
  assert.equal(await restoreOf(store, "eve"), "made");
}

/** What is put into Ada's row. */
const ODD = [
  "wrap_set = 987654321",
  "wrap_set = -1",
  "wrap_set = 9223372036854775807",
  "message = x''",
  "message = zeroblob(0)",
];

for (const set of ODD) {
  test(`is no message to put back, and is let go of: ${set}`, async (t) => {
    const both = await given(t);
    const { store, path } = both;
    hand(path, `update kept set ${set} where version_key = ${ofAda}`);
    assert.equal(await store.kept.read(place("ada", 1)), null);
    assert.equal(await restoreOf(store, "ada"), "overtaken");
    assert.deepEqual((await all(store)).map((item) => item.place?.id).toSorted(), ["ada", "eve"]);
    assert.ok((await store.kept.counts(9)).length > 0);
    await store.kept.drop([place("ada", 1)], null);
    assert.deepEqual(
      (await all(store)).map((item) => item.place?.id),
      ["eve"],
    );
    await evesIsThere(both);
  });
}

test("a set that only kept rows have and that has no row is among the sets, as none", async (t) => {
  const { store, path } = await given(t);
  hand(path, `update kept set wrap_set = 987654321 where version_key = ${ofAda}`);
  const unknown = (await store.inventory.sets()).filter(({ set }) => set === null).map(({ id }) => id);
  assert.deepEqual(unknown, [987654321]);
  assert.deepEqual([await store.kept.any(unknown), await store.inventory.any(unknown)], [true, false]);
  const counted = (await store.kept.counts(9)).find(({ id }) => id === unknown[0]);
  assert.equal(counted?.items, 1);
});

test("a row of a version that is gone is listed without a place, and goes by where it lies", async (t) => {
  const both = await given(t);
  const { store, path } = both;
  hand(path, `delete from versions where key = ${ofAda}`);
  const [orphan, ...more] = (await all(store)).filter((item) => item.place === null);
  assert.ok(orphan !== undefined && more.length === 0);
  assert.equal(await store.kept.read(place("ada", 1)), null);
  await store.kept.drop([place("ada", 1)], null);
  assert.equal((await all(store)).length, 2, "it has no version to be named by");
  await store.kept.drop([{ position: orphan.position }], null);
  assert.equal((await all(store)).length, 1);
  await evesIsThere(both);
});

test("a bucket that is none is found by whoever has the first ones or the last ones", async (t) => {
  const { store, path } = await given(t);
  for (const [bucket, from, to] of [
    ["-9223372036854775808", 0, 1],
    ["256", 255, 256],
    ["9223372036854775807", 255, 256],
  ] as const) {
    hand(path, `update kept set bucket = ${bucket} where version_key = ${ofAda}`);
    const found = await store.kept.list({ buckets: { from, to }, after: null, limit: 9 });
    assert.ok(found.some((item) => item.place?.id === "ada"));
    assert.deepEqual(await store.kept.list({ buckets: { from, to }, after: found.at(-1)!.position, limit: 9 }), []);
  }
});

test("what is kept of a record goes with it on the disk, too", async (t) => {
  const { store, path } = await given(t);
  await make(store, remove("ada", live(1), 1));
  using database = new DatabaseSync(path);
  assert.deepEqual(database.prepare("select count(*) as n from kept").get()?.["n"], 1);
  assert.deepEqual(
    database.prepare("select count(*) as n from kept where version_key not in (select key from versions)").get()?.["n"],
    0,
  );
  assert.equal((await store.records.read(at("ada"), null)).stored, null);
});

test("kept messages are counted, and proved to be gone, by an index that has no message", async (t) => {
  const { path } = await given(t);
  using database = new DatabaseSync(path);
  for (const sql of [
    "select 1 from kept where wrap_set = 1 limit 1",
    "select count(*) from (select 1 from kept where wrap_set = 1 limit 9)",
  ]) {
    const plan = database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
    assert.ok(
      plan.some((step) => step.includes("USING COVERING INDEX kept_wrap_set")),
      plan.join(),
    );
  }
});

/** Of the note `a`: what is put in the place of its text. */
const ODD_TEXTS = [
  "''",
  "printf('%.16385c', 'a')",
  "printf('%.2000000c', 'a')",
  "cast(x'ff' as text)",
  "cast(x'610062' as text)",
  "cast(x'eda080' as text)",
];

for (const text of ODD_TEXTS)
  test(`a note that holds ${text} is none, and is replaced by whoever saw none`, async (t) => {
    const { store, path } = await given(t);
    for (const name of ["a", "b"]) await store.notes.replace(name, "one", null);
    hand(path, `update notes set text = ${text} where name = 'a'`);
    assert.deepEqual(await store.notes.list(""), [{ name: "b", text: "one" }]);
    assert.equal(await store.notes.replace("a", "two", "one"), "overtaken");
    assert.equal(await store.notes.replace("a", "two", null), "replaced");
    assert.deepEqual((await store.notes.list("a"))[0]?.text, "two");
  });

test("notes under names that nobody gives hide nothing", async (t) => {
  const { store, path } = await given(t);
  await store.notes.replace("z", "one", null);
  hand(
    path,
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)
    insert into notes select 'a' || printf('%05d', i) || 'A', 'x' from n`,
  );
  for (const name of ["''", "printf('%.200000c', 'a')", "cast(x'61ff' as text)", "cast(x'6100' as text)", "'b%'"])
    hand(path, `insert into notes values (${name}, 'x')`);
  assert.deepEqual(await store.notes.list(""), [{ name: "z", text: "one" }]);
});

test("who has the set of a kept message is told by its own number", async (t) => {
  const { store } = await given(t);
  const [item] = await all(store);
  assert.equal(item?.wrapSet, await idOf(store, (await store.inventory.sets())[0]!.set!));
});
