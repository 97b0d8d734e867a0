/**
 * A file of the version before people had rows: it is migrated as it is opened, all of it is read as before, and what is
 * written from then on is about people.
 */
import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Epoch } from "@strongroom/vault";
import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
import { schemaOf } from "@strongroom/base/sqlite-schema";
import { defer } from "../../../../../tests/support/defer.ts";
import { aboutAll, newPeople, recordsOf } from "../../../src/store-contract/people.ts";
import { rewrapOf, write } from "../../../src/store-contract/changes.ts";
import { STORE_READER, STORE_WRITER } from "../../../src/stores/gate.ts";
import { MIGRATIONS } from "../../../src/stores/sqlite/schema.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, live, make, place, removed } from "../../support/records.ts";
import { recordsOfBefore, VAULT_OF_BEFORE } from "../../support/records-of-before.ts";
import { temporaryFolder } from "../../support/storage.ts";

const EPOCH = 3 as Epoch;

test("every row is read as it was, in scheme 1 and about nobody else", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  recordsOfBefore(path);
  const store = await sqliteStore(path, { mark: true });
  defer(t, () => store.close());
  const { head, stored, subjects, damage } = await store.records.read(at("ada"), null);
  assert.deepEqual([head, subjects, damage], [live(2), [], undefined]);
  assert.deepEqual([stored?.scheme, stored?.subject, stored?.about], [1, "person ada", []]);
  assert.equal(Buffer.from(stored!.message).toString(), "two");
  const { versions } = await store.records.versions(at("ada"), { before: null, limit: 9 });
  assert.deepEqual(
    versions.map(({ version, scheme, subject }) => [version, scheme, subject]),
    [
      [2, 1, "person ada"],
      [1, 1, "person ada"],
    ],
  );
  assert.deepEqual((await store.records.heads([at("bob")]))[0]?.head, removed(1));
  const [listed] = (await store.records.list(at("ada").collection, { after: null, limit: 9 })) ?? [];
  assert.deepEqual([listed?.id, listed?.sealedId], ["ada", null]);
  assert.deepEqual(await store.subjects.list({ after: null, limit: 9 }), []);
  assert.deepEqual(await store.gate.current(), {
    vault: VAULT_OF_BEFORE,
    peer: null,
    epoch: EPOCH,
    digest: "digest",
    minReader: STORE_READER,
    minWriter: STORE_WRITER,
  });
});

test("what follows is about people, on top of what was there, and goes with it", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  recordsOfBefore(path);
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  const [ada, bob] = newPeople(2);
  await make(store, write(at("ada"), live(2), 3, { ...aboutAll([ada!, bob!]), at: EPOCH }));
  const { stored, subjects } = await store.records.read(at("ada"), null);
  assert.deepEqual([stored?.scheme, stored?.subject, stored?.about], [2, ada, [bob]]);
  assert.deepEqual(subjects.map(({ id }) => id).sort(), [ada, bob]);
  const before = await store.records.read(at("ada"), place("ada", 2).version);
  assert.deepEqual([before.stored?.scheme, before.stored?.subject, before.subjects], [1, "person ada", []]);
  assert.deepEqual(await recordsOf(store, bob!), ["people/ada"]);
});

test("the schema is that of a new file, and the mark goes on", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  recordsOfBefore(path);
  writeFileSync(`${path}.mark`, `strongroom-vault-mark/1 ${VAULT_OF_BEFORE} 40`.padEnd(127) + "\n");
  await (await sqliteStore(path, { mark: true })).close();
  const { state, version, commits } = await inspectDatabase(path);
  assert.deepEqual([state, version, commits], ["sound", 8, 40]);
  using database = new DatabaseSync(path);
  const made = database.prepare("select type || ' ' || name as name, sql from sqlite_schema").all();
  const wanted = await schemaOf(MIGRATIONS);
  for (const { name, sql } of made)
    if (Object.hasOwn(wanted, String(name))) assert.equal(sql, wanted[String(name)], String(name));
});

test("an older copy of such a file, and one that was changed, are refused and stay as they were", async (t) => {
  const folder = await temporaryFolder(t);
  const [path, altered] = [join(folder, "records.sqlite"), join(folder, "altered.sqlite")];
  recordsOfBefore(path);
  copyFileSync(path, altered);
  writeFileSync(`${path}.mark`, `strongroom-vault-mark/1 ${VAULT_OF_BEFORE} 41`.padEnd(127) + "\n");
  await rejectsWith("store-set-back", () => sqliteStore(path, { mark: true }));
  {
    using database = new DatabaseSync(altered);
    database.exec("create trigger planted after insert on versions begin delete from heads; end");
  }
  await rejectsWith("store-altered", () => sqliteStore(altered));
  for (const file of [path, altered]) {
    using database = new DatabaseSync(file, { readOnly: true });
    assert.equal(database.prepare("select count(*) as n from kysely_migration").get()?.["n"], 1);
  }
});

test("nothing is kept of what was there, and a message that is replaced is kept from then on", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  recordsOfBefore(path);
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  assert.deepEqual([await store.kept.counts(9), await store.notes.list("")], [[], []]);
  const change = await rewrapOf(store, "ada", 2, { keeps: true, epoch: EPOCH });
  assert.deepEqual(await store.inventory.rewrap(change), { kind: "made" });
  assert.equal(Buffer.from((await store.kept.read(change.place))!.message).toString(), "two");
  assert.equal(await store.notes.replace("a", "one", null), "replaced");
});
