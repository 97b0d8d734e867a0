/**
 * A hand in the rows of people: whatever it puts into a column is told as damage or refuses what it stands for, and fails
 * nothing else.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store, SubjectId } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { EPOCH } from "../../../src/store-contract/changes.ts";
import { aboutAll, newPeople, recordsOf, sealedFor, writeAbout } from "../../../src/store-contract/people.ts";
import { rejectsWith } from "../../support/errors.ts";
import { hand } from "../../support/keys-file.ts";
import { at, live, make, remove } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

interface Given {
  readonly path: string;
  readonly store: Store;
  readonly ada: SubjectId;
  readonly bob: SubjectId;
  readonly eve: SubjectId;
}

/** Ada's record, one of Ada that mentions Bob, and Eve's, with which everything must stay as it is. */
async function given(t: TestContext): Promise<Given> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  const [ada, bob, eve] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
  const now = { at: EPOCH.none };
  await make(
    store,
    writeAbout(ada, at("ada"), null, 1, { ...now, sealedId: Buffer.from("sealed") }),
    writeAbout(ada, at("both"), null, 1, { ...now, ...aboutAll([ada, bob]) }),
    writeAbout(eve, at("eve"), null, 1, now),
  );
  return { path, store, ada, bob, eve };
}

/** Eve is read and written as ever, and a page has all that there is. */
async function othersGoOn({ store, eve }: Given, records: number = 3): Promise<void> {
  const { damage, subjects } = await store.records.read(at("eve"), null);
  assert.deepEqual([damage, subjects.map(({ id }) => id)], [undefined, [eve]]);
  await make(store, writeAbout(eve, at("eve"), live(1), 2, { at: EPOCH.none }));
  assert.deepEqual(await recordsOf(store, eve), ["people/eve"]);
  assert.equal((await store.records.list(at("eve").collection, { after: null, limit: 9 }))?.length, records);
}

/** What is put where -> which column is told, at Ada's records. */
const OF_SUBJECTS: readonly (readonly [sql: string, damage: RegExp])[] = [
  ["update subjects set id = x'00' where subject = 1", /subjects\.id/],
  ["update subjects set id = zeroblob(16) where subject = 1", /subjects\.id/],
  ["update subjects set id = zeroblob(100000) where subject = 1", /subjects\.id/],
  ["delete from subjects where subject = 1", /subjects\.id/],
  ["update subjects set subject = -9223372036854775808 where subject = 1", /subjects\.id/],
  ["update subjects set state = 'gone' where subject = 1", /subjects\.state/],
  ["update subjects set state = '' where subject = 1", /subjects\.state/],
  ["update subjects set subject_ordinal = -1 where subject = 1", /subjects\.subject_ordinal/],
  ["update subjects set tenant_ordinal = 9223372036854775807 where subject = 1", /subjects\.tenant_ordinal/],
  ...[
    "''",
    "char(2)",
    "char(2) || 'x'",
    "char(2) || '1x'",
    "char(2) || '99'",
    "char(2) || '-9223372036854775808'",
    "char(2) || '99999999999999999999999'",
    "char(2) || '1' || char(2) || 'ab'",
    "char(2) || '1' || char(2) || printf('%.32c', '0')",
    "char(2) || '1' || char(2) || char(2) || 'collection:people'",
    "char(2) || char(2) || char(2) || 'somebody'",
    "char(2) || '1' || char(2) || char(2) || char(2)",
    "printf('%.100000c', 'x')",
  ].map((value) => [`update versions set subject = ${value} where key = 1`, /versions\.subject|subjects\.id/] as const),
];

for (const [sql, column] of OF_SUBJECTS) {
  test(`told as damage, and nobody else fails: ${sql}`, async (t) => {
    const all = await given(t);
    hand(all.path, sql);
    const { damage, stored, subjects } = await all.store.records.read(at("ada"), null);
    assert.match(damage ?? "", column);
    assert.deepEqual(subjects, []);
    if (/versions|subjects\.id/.test(damage ?? "")) assert.equal(stored, null);
    const { versions, damage: ofPage } = await all.store.records.versions(at("ada"), { before: null, limit: 9 });
    if (stored === null) assert.deepEqual([versions, (ofPage ?? "").match(column) !== null], [[], true]);
    await othersGoOn(all);
    // Whatever its rows hold, the record can be removed.
    await make(all.store, remove("ada", live(1), 1));
    assert.deepEqual((await all.store.records.list(at("ada").collection, { after: null, limit: 9 }))?.length, 2);
  });
}

for (const sql of [
  "update subjects set state = 'gone' where subject = 2",
  "update subjects set subject_ordinal = -1 where subject = 2",
]) {
  test(`of somebody who is mentioned as well: ${sql}`, async (t) => {
    const all = await given(t);
    hand(all.path, sql);
    const { damage, subjects } = await all.store.records.read(at("both"), null);
    assert.match(damage ?? "", /subjects\./);
    assert.deepEqual(
      subjects.map(({ id }) => id),
      [all.ada],
      "whose row is damaged is not vouched for",
    );
    assert.equal((await all.store.records.read(at("ada"), null)).damage, undefined);
    await othersGoOn(all);
  });
}

test("somebody who is mentioned and has no row is missing, and the version stays", async (t) => {
  const all = await given(t);
  hand(all.path, "delete from subjects where subject = 2");
  const { stored, subjects, damage } = await all.store.records.read(at("both"), null);
  assert.deepEqual([stored?.about, subjects.map(({ id }) => id), damage], [[all.bob], [all.ada], undefined]);
  await othersGoOn(all);
});

test("a state that is none closes the person until it is set again", async (t) => {
  const { path, store, ada } = await given(t);
  hand(path, "update subjects set state = 'gone' where subject = 1");
  const unit = writeAbout(ada, at("ada"), live(1), 2, { at: EPOCH.none });
  assert.deepEqual(await store.records.apply([unit], { atomic: true }), [
    { kind: "subject-closed", id: ada, state: "restricted" },
  ]);
  assert.equal((await store.subjects.get([ada]))[0]?.state, "restricted");
  assert.equal(await store.subjects.setState({ id: ada, from: ["restricted"], to: "active" }), "active");
  await make(store, writeAbout(ada, at("ada"), live(1), 2, { at: EPOCH.none }));
});

test("an ordinal that is none is one that no key reaches: nothing is sealed under a key that may be an old one", async (t) => {
  const { path, store, ada } = await given(t);
  hand(path, "update subjects set subject_ordinal = -5 where subject = 1");
  const unit = writeAbout(ada, at("ada"), live(1), 2, { at: EPOCH.none, subjects: [sealedFor(ada, { ordinal: 7 })] });
  assert.deepEqual(await store.records.apply([unit], { atomic: true }), [{ kind: "key-set-back", id: ada }]);
});

test("links to records and people that there are not find nothing, and stop no page", async (t) => {
  const all = await given(t);
  const { path, store, ada } = all;
  hand(path, "insert into links values (1, -9223372036854775808), (1, 77), (1, 9223372036854775807), (-7, 1), (99, 2)");
  assert.deepEqual(await recordsOf(store, ada), ["people/ada", "people/both"]);
  const [first] = await store.subjects.records(ada, { after: null, limit: 1 });
  const [second] = await store.subjects.records(ada, { after: first!.position, limit: 1 });
  assert.deepEqual([first?.id, second?.id], ["ada", "both"]);
  for (const position of [Buffer.alloc(0), Buffer.alloc(7), Buffer.alloc(9)])
    await rejectsWith("cursor-invalid", () => store.subjects.records(ada, { after: position, limit: 1 }));
  await make(store, remove("ada", live(1), 1));
  assert.deepEqual(await recordsOf(store, ada), ["people/both"]);
  await othersGoOn(all, 2);
});

test("a sealed id that is too long is told where it is listed", async (t) => {
  const all = await given(t);
  hand(all.path, "update heads set sealed_id = zeroblob(2000) where record = 1");
  const listed = (await all.store.records.list(at("ada").collection, { after: null, limit: 9 })) ?? [];
  assert.deepEqual(
    listed.map(({ id, damage, sealedId }) => [id, damage, sealedId]),
    [
      ["ada", "heads.sealed_id", null],
      ["both", undefined, null],
      ["eve", undefined, null],
    ],
  );
  await othersGoOn(all);
});

test("a peer that is none is told to who asks for it, and stops nobody else", async (t) => {
  const all = await given(t);
  for (const value of ["'x'", "''", "printf('%.100000c', 'a')"]) {
    hand(all.path, `update gate set peer = ${value}`);
    await rejectsWith("store-altered", () => all.store.gate.current());
    await rejectsWith("store-altered", () => all.store.gate.bind("7c1f3a52-6a0e-4c55-9d55-0a6b1b0f7a11"));
  }
  await othersGoOn(all);
  const again = await sqliteStore(all.path);
  await again.ping();
  await again.close();
});
