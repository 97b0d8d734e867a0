/**
 * Files of the version before the audit: opening them keeps every row as it was, and a program of that version does not
 * go on with them, neither one that runs nor one that starts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLOutputValue } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connectSqliteFile, openSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import { inspectDatabase, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { EPOCH } from "../../../src/store-contract/changes.ts";
import { append, newEntry, newStream, withEntry } from "../../../src/store-contract/entries.ts";
import { makeKeys, newcomer, nameOf } from "../../../src/store-contract/key-changes.ts";
import { newPeople, writeAbout } from "../../../src/store-contract/people.ts";
import { Guard, schemaAfter } from "../../../src/stores/sqlite/guard.ts";
import { Connection } from "../../../src/stores/sqlite/statements.ts";
import { FILE_FORMS } from "../../../src/stores/sqlite/store-file.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, live, make, remove, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

type Kind = "records" | "keys";
type Rows = Readonly<Record<string, readonly Readonly<Record<string, SQLOutputValue>>[]>>;

/** How many migrations the file had before there was an audit. */
const MIGRATED: Readonly<Record<Kind, number>> = { records: 2, keys: 1 };

const before = (kind: Kind): (typeof FILE_FORMS)[Kind]["migrations"] =>
  Object.fromEntries(Object.entries(FILE_FORMS[kind].migrations).slice(0, MIGRATED[kind]));

const openBefore = async (path: string, kind: Kind): Promise<DatabaseSync> => {
  const { database } = await openSqliteFile(path, {
    applicationId: FILE_FORMS[kind].applicationId,
    migrations: before(kind),
    synchronous: "full",
    busyTimeoutMs: 0,
    patienceMs: 5000,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  return database;
};

const tablesOf = (database: DatabaseSync): readonly string[] =>
  database
    .prepare(
      "select name from main.sqlite_schema where type = 'table' and name not glob 'kysely*' and name not glob 'sqlite*'",
    )
    .all()
    .map(({ name }) => String(name));

const rowsOf = (database: DatabaseSync): Rows =>
  Object.fromEntries(
    tablesOf(database).map((table) => [table, database.prepare(`select * from ${table} order by 1, 2`).all()]),
  );

/** A file of the version before with the rows of one of this version, as far as that version had them. */
async function copyOfBefore(path: string, kind: Kind, source: string): Promise<Rows> {
  const database = await openBefore(path, kind);
  try {
    database.prepare("attach ? as later").run(source);
    for (const table of tablesOf(database)) {
      const columns = database.prepare(`select name from pragma_table_info('${table}')`).all();
      const names = columns.map(({ name }) => String(name)).join();
      database.exec(
        `delete from main.${table}; insert into main.${table} (${names}) select ${names} from later.${table}`,
      );
    }
    database.exec("update main.gate set min_reader = 2, min_writer = 2; detach later");
    return rowsOf(database);
  } finally {
    database.close();
  }
}

/** A store of records and a key store with something in every table of before, and where their files of before are. */
async function given(t: TestContext): Promise<Readonly<Record<Kind, { readonly path: string; readonly rows: Rows }>>> {
  const folder = await temporaryFolder(t);
  const [records, keys] = [join(folder, "later-records.sqlite"), join(folder, "later-keys.sqlite")];
  const store = await sqliteStore(records);
  const [ada, bob] = newPeople(2);
  await make(store, writeAbout(ada!, at("ada"), null, 1, { at: EPOCH.none, sealedId: Buffer.from("sealed") }));
  await make(store, writeAbout(bob!, at("bob"), null, 1, { at: EPOCH.none }), remove("bob", live(1), 1));
  await store.subjects.setState({ id: bob!, from: ["active"], to: "restricted" });
  await store.jobs.add("a job", ["all"]);
  await store.close();
  const keyStore = await sqliteKeyStore(keys);
  await makeKeys(keyStore, ...[1, 2].map(() => ({ ...newcomer(), epoch: EPOCH.none })));
  await keyStore.close();
  const of = async (kind: Kind, source: string) => {
    const path = join(folder, `${kind}.sqlite`);
    return { path, rows: await copyOfBefore(path, kind, source) };
  };
  return { records: await of("records", records), keys: await of("keys", keys) };
}

const open = { records: sqliteStore, keys: sqliteKeyStore } as const;

for (const kind of ["records", "keys"] as const) {
  test(`every row is as it was, and programs of before are shut out: ${kind}`, async (t) => {
    const { path, rows } = (await given(t))[kind];
    const looked = await inspectDatabase(path, { kind });
    assert.deepEqual([looked.state, looked.pending.length], ["sound", kind === "records" ? 3 : 1]);
    await (await open[kind](path)).close();
    using database = new DatabaseSync(path);
    const after = rowsOf(database);
    for (const [table, all] of Object.entries(rows)) {
      const wanted = all.map((row) => ({
        ...row,
        ...(table === "gate" ? { min_reader: 3, min_writer: kind === "records" ? 5 : 3 } : {}),
        ...(table === "heads" ? { entry: null } : {}),
      }));
      assert.deepEqual(
        after[table]?.map((row) => ({ ...row })),
        wanted,
        table,
      );
      if (table !== "failures" && table !== "move" && !(kind === "keys" && table === "jobs"))
        assert.ok(all.length > 0, `nothing is in ${table}`);
    }
    assert.equal((await inspectDatabase(path, { kind })).state, "sound");
  });

  test(`a program of before that runs is stopped at its next use, and one that starts at once: ${kind}`, async (t) => {
    const { path, rows } = (await given(t))[kind];
    const earlier = new Connection(
      connectSqliteFile(path, { synchronous: "full", busyTimeoutMs: 0, maxBytes: 2 ** 40 }),
    );
    defer(t, async () => {
      earlier.close();
    });
    earlier.exec("begin; select * from gate; commit");
    const guard = Guard.over(earlier, path, await schemaAfter(before(kind)), null);
    earlier.snapshot(() => guard.requireState("write"));
    await (await open[kind](path)).close();
    for (const use of ["read", "write"] as const)
      await rejectsWith("store-altered", async () => earlier.snapshot(() => guard.requireState(use)));
    await assert.rejects(openBefore(path, kind), (error) => sqliteFailure(error) === "newer");
    assert.equal(rowsOf(earlier.database)["gate"]?.[0]?.["commits"], rows["gate"]?.[0]?.["commits"]);
  });
}

test("what was there has no entry, and gets one with what is built on it", async (t) => {
  const { records } = await given(t);
  const store = await sqliteStore(records.path);
  defer(t, () => store.close());
  assert.equal((await store.records.read(at("ada"), null)).entry, undefined);
  const stream = newStream();
  const unit = withEntry(write("ada", live(1), 2), stream, 1);
  await make(store, unit);
  const { entry, head } = await store.records.read(at("ada"), null);
  assert.deepEqual([entry, head], [unit.entry.id, live(2)]);
  await make(store, withEntry(remove("ada", live(2), 2), stream, 2, { previous: unit.entry.id }));
  assert.equal((await store.outbox.waiting(9)).entries, 2);
});

test("whose a key of before is, is found by its version", async (t) => {
  const { keys } = await given(t);
  const store = await sqliteKeyStore(keys.path);
  defer(t, () => store.close());
  await append(store, newEntry(newStream(), 1));
  const people = await store.keys.people({ after: null, limit: 9 });
  const found = await store.keys.active(people.map((owner) => ({ kind: "subject" as const, owner })));
  const owners = await store.keys.owners(found.map(({ key }) => key!.version));
  assert.deepEqual(
    owners,
    found.map(({ key }) => nameOf(key!)),
  );
  assert.equal(owners.length, 2);
});
