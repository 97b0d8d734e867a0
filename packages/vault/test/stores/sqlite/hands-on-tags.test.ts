/**
 * A hand in the rows of indexes and tags: whatever it puts there finds nothing by itself, and fails nothing else.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Epoch, Store } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { EPOCH, live, make, PEOPLE, remove } from "../../../src/store-contract/changes.ts";
import { declare, first, foundIn, newIndex, second, tagOf, tagsIn } from "../../../src/store-contract/tagging.ts";
import { hand } from "../../support/keys-file.ts";
import { at } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

const [MAIL, NAME] = [newIndex(), newIndex({ name: "name", isUnique: true })];
const X = tagOf(MAIL, "x");

async function given(t: TestContext): Promise<{ readonly path: string; readonly store: Store; readonly now: Epoch }> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  await store.gate.flip({ from: EPOCH.none, digest: "first" });
  const now = await declare(store, MAIL, NAME);
  for (const id of ["ada", "eve"]) await make(store, first(id, now, X, tagOf(NAME, id)));
  return { path, store, now };
}

const OF = (id: string): string => `(select record from records where id = '${id}')`;

test("a tag of nobody, of a removed record and of a number beyond all finds nothing", async (t) => {
  const { path, store } = await given(t);
  await make(store, remove(at("ada"), live(1), 1));
  const number = `(select number from indexes where id = '${MAIL.id}')`;
  const tag = `x'${Buffer.from(X.tag).toString("hex")}'`;
  for (const record of [OF("ada"), "987654321", "9223372036854775807", "-9223372036854775808", "0"])
    hand(path, `insert into tags values (${number}, ${tag}, ${record})`);
  assert.deepEqual([await foundIn(store, [X]), await foundIn(store, [X], [X])], [["eve"], ["eve"]]);
  assert.equal(await store.indexes.count({ collection: PEOPLE, terms: [[X]] }, 9), 1);
  const page = await store.indexes.find({
    collection: PEOPLE,
    terms: [[X]],
    after: Buffer.alloc(8, 0xff),
    limit: 9,
  });
  assert.equal(page.length, 1);
  await store.indexes.forget([at("ada")]);
});

test("tags that are none, and of indexes that there are not, are left out, and go with the next write", async (t) => {
  const { path, store, now } = await given(t);
  const number = `(select number from indexes where id = '${MAIL.id}')`;
  hand(path, `insert into tags values (${number}, zeroblob(100000), ${OF("ada")})`);
  hand(path, `insert into tags values (987654321, x'0102', ${OF("ada")})`);
  hand(path, `insert into unique_tags values (${number}, zeroblob(0), ${OF("ada")})`);
  assert.equal((await tagsIn(store, "ada"))?.length, 2);
  await store.indexes.frequencies(MAIL.id);
  await make(store, second("ada", now, X));
  using database = new DatabaseSync(path);
  const left = database.prepare(`select count(*) as n from tags where record = ${OF("ada")}`).get();
  assert.equal(left?.["n"], 1);
});

for (const set of ["id = 'email'", "collection = ''", "name = ''", "collection = printf('%.100000c', 'a')"]) {
  test(`an index whose row has ${set.slice(0, 30)} is none, and others go on`, async (t) => {
    const { path, store, now } = await given(t);
    hand(path, `update indexes set ${set} where id = '${MAIL.id}'`);
    assert.deepEqual((await store.indexes.list()).indexes, [NAME]);
    assert.deepEqual([await foundIn(store, [X]), await foundIn(store, [tagOf(NAME, "eve")])], [[], ["eve"]]);
    await make(store, second("eve", now, tagOf(NAME, "eve"), X));
  });
}

test("a state that is none is one in which an index is not built", async (t) => {
  const { path, store, now } = await given(t);
  {
    using database = new DatabaseSync(path);
    database.exec("pragma ignore_check_constraints = on; update indexes set state = 'done', is_unique = 7");
  }
  const { indexes } = await store.indexes.list();
  assert.deepEqual(
    indexes.map(({ state, isUnique }) => [state, isUnique]),
    [
      ["building", true],
      ["building", true],
    ],
  );
  await make(store, second("eve", now, tagOf(NAME, "eve")));
});
