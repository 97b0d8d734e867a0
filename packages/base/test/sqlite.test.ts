import assert from "node:assert/strict";
import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { openSqliteFile, readSqliteFile, SqliteFileError, sqliteFailure, whileBusy } from "@strongroom/base/sqlite";
import type { SqliteFailure, SqliteFileOptions } from "@strongroom/base/sqlite";
import { runScript } from "./support/child.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

interface Notes {
  notes: { text: string };
}

const OPTIONS: SqliteFileOptions = {
  applicationId: 0x4e4f5445,
  migrations: {
    "0001-notes": { up: (db: Kysely<unknown>) => sql`create table notes (text text not null)`.execute(db).then() },
  },
  synchronous: "full",
  busyTimeoutMs: 0,
  patienceMs: 0,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

const fails = (failure: SqliteFailure) => (error: unknown) => {
  assert.equal(sqliteFailure(error), failure);
  return true;
};

test("a connection is as durable as asked, forgets what was deleted, and writes no temporary file", async (t) => {
  const expected = {
    journal_mode: "wal",
    secure_delete: 1,
    trusted_schema: 0,
    cell_size_check: 1,
    temp_store: 2, // MEMORY
    application_id: OPTIONS.applicationId,
    max_page_count: 250,
  };
  const levels = [
    ["normal", 1, 700],
    ["full", 2, 0],
  ] as const;
  for (const [synchronous, level, busyTimeoutMs] of levels) {
    const { db, database } = await openSqliteFile<Notes>(join(temporaryFolder(t), "a.sqlite"), {
      ...OPTIONS,
      synchronous,
      busyTimeoutMs,
      maxBytes: 250 * 4096 + 4095,
    });
    const value = (pragma: string): unknown => Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0];
    for (const [pragma, wanted] of Object.entries(expected)) assert.equal(value(pragma), wanted, pragma);
    assert.equal(value("synchronous"), level);
    assert.equal(value("busy_timeout"), busyTimeoutMs);
    await db.destroy();
  }
});

test("the file, its log and its index are their owner's alone, also when they were open to all", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "a.sqlite");
  const first = await openSqliteFile<Notes>(path, OPTIONS);
  const files = readdirSync(folder);
  assert.deepEqual(files, ["a.sqlite", "a.sqlite-shm", "a.sqlite-wal"]);
  for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  for (const file of files) chmodSync(join(folder, file), 0o666);
  const second = await openSqliteFile<Notes>(path, OPTIONS);
  for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  await first.db.destroy();
  await second.db.destroy();
});

test("a file is closed to others, and not opened to an owner who made it read-only", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  const first = await openSqliteFile<Notes>(path, OPTIONS);
  await first.db.destroy();
  for (const [set, kept] of [
    [0o444, 0o400],
    [0o400, 0o400],
  ] as const) {
    chmodSync(path, set);
    // An ordinary user is refused here; root writes where it pleases.
    await openSqliteFile<Notes>(path, OPTIONS).then(
      ({ db }) => db.destroy(),
      () => undefined,
    );
    assert.equal(statSync(path).mode & 0o777, kept);
  }
});

test("a file that is made through a link is its owner's alone too", async (t) => {
  const folder = temporaryFolder(t);
  symlinkSync("elsewhere.sqlite", join(folder, "a.sqlite"));
  const before = process.umask(0o022);
  t.after(() => process.umask(before));
  const { db } = await openSqliteFile<Notes>(join(folder, "a.sqlite"), OPTIONS);
  await db.insertInto("notes").values({ text: "one" }).execute();
  for (const name of readdirSync(folder).filter((each) => each !== "a.sqlite"))
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  await db.destroy();
});

test("opening a file a second time does not free the locks of the first", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  await (await openSqliteFile<Notes>(path, OPTIONS)).db.destroy();
  using first = new DatabaseSync(path);
  // A journal of the old kind: its locks are on the file itself.
  first.exec("pragma journal_mode = delete; begin exclusive");
  await assert.rejects(openSqliteFile<Notes>(path, OPTIONS), fails("busy"));
  const script = `
    import { DatabaseSync } from "node:sqlite";
    try { new DatabaseSync(process.argv[1]).exec("begin exclusive"); console.log("free"); }
    catch { console.log("locked"); }`;
  assert.equal((await runScript(t, script, path).said()).trim(), "locked");
});

test("a file that is current is opened without a write; one that another is making is waited for", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  const { db, database } = await openSqliteFile<Notes>(path, OPTIONS);
  database.exec("begin immediate");
  await (await openSqliteFile<Notes>(path, OPTIONS)).db.destroy();
  const later = { ...OPTIONS.migrations, "0002-more": { up: async () => undefined } };
  await assert.rejects(openSqliteFile<Notes>(path, { ...OPTIONS, migrations: later }), fails("busy"));
  const waiting = openSqliteFile<Notes>(path, { ...OPTIONS, migrations: later, patienceMs: 10_000 });
  await delay(30);
  database.exec("rollback");
  await (await waiting).db.destroy();
  await db.destroy();
});

test("of a migration that fails nothing stays", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  const migrations: SqliteFileOptions["migrations"] = {
    ...OPTIONS.migrations,
    "0002-broken": { up: () => Promise.reject(new Error("broken")) },
  };
  await assert.rejects(openSqliteFile<Notes>(path, { ...OPTIONS, migrations }), /broken/);
  using database = new DatabaseSync(path);
  assert.equal(database.prepare("select * from sqlite_schema where name = 'notes'").get(), undefined);
});

test("what is not ours, or is newer, is refused and stays byte for byte as it was", async (t) => {
  const folder = temporaryFolder(t);
  const make = (name: string, statements: string): string => {
    const path = join(folder, name);
    using database = new DatabaseSync(path);
    database.exec(statements);
    return path;
  };
  const newer = join(folder, "newer");
  await (await openSqliteFile<Notes>(newer, OPTIONS)).db.destroy();
  make("newer", "insert into kysely_migration (name, timestamp) values ('0042-future', '2030')");
  const text = join(folder, "text");
  writeFileSync(text, "this is a letter, and long enough to be read as the header of a database file. ".repeat(20));
  const cases: readonly (readonly [path: string, failure: SqliteFailure, applicationId: number | null])[] = [
    [make("tables", "create table customers (name text)"), "foreign", OPTIONS.applicationId],
    [make("tables-2", "create table customers (name text)"), "foreign", null],
    [make("id", "pragma application_id = 7"), "foreign", OPTIONS.applicationId],
    [newer, "newer", OPTIONS.applicationId],
    [newer, "newer", null],
    [text, "not-a-database", OPTIONS.applicationId],
  ];
  for (const [path, failure, applicationId] of cases) {
    const before = readFileSync(path);
    await assert.rejects(openSqliteFile<Notes>(path, { ...OPTIONS, applicationId }), fails(failure));
    assert.deepEqual(readFileSync(path), before, path);
  }
  await assert.rejects(openSqliteFile<Notes>(newer, OPTIONS), /0042-future/);
  await assert.rejects(openSqliteFile<Notes>(join(folder, "none", "a"), OPTIONS), fails("cannot-open"));
  await assert.rejects(openSqliteFile<Notes>(folder, OPTIONS), fails("cannot-open"));
});

test("a file does not outgrow its limit, and says that it is full", async (t) => {
  const { db } = await openSqliteFile<Notes>(join(temporaryFolder(t), "a.sqlite"), { ...OPTIONS, maxBytes: 40 * 4096 });
  const text = "x".repeat(100_000);
  await db.insertInto("notes").values({ text }).execute();
  await assert.rejects(db.insertInto("notes").values({ text }).execute(), fails("full"));
  assert.equal((await db.selectFrom("notes").selectAll().execute()).length, 1);
  await db.destroy();
});

test("a file that is only read is looked through first: a damaged one is refused", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  const { db, database } = await openSqliteFile<Notes>(path, OPTIONS);
  for (let n = 0; n < 100; n++)
    await db
      .insertInto("notes")
      .values({ text: "x".repeat(1000) })
      .execute();
  database.exec("pragma wal_checkpoint(truncate)");
  await db.destroy();
  const reader = readSqliteFile<Notes>(path);
  const rows = await reader.transaction().execute((trx) => trx.selectFrom("notes").selectAll().execute());
  assert.equal(rows.length, 100);
  await assert.rejects(reader.insertInto("notes").values({ text: "" }).execute(), fails("read-only"));
  await reader.destroy();
  const bytes = readFileSync(path);
  bytes.fill(0xff, bytes.length - 3 * 4096);
  writeFileSync(path, bytes);
  assert.throws(() => readSqliteFile<Notes>(path), fails("corrupt"));
});

const sqliteError = (errcode: number): Error => Object.assign(new Error("sqlite"), { errcode });

test("SQLite's result codes, the system's and our own findings each have one word", () => {
  const codes: readonly (readonly [errcode: number, failure: string])[] = [
    [5, "busy"],
    [261, "busy"], // SQLITE_BUSY_RECOVERY
    [517, "busy"], // SQLITE_BUSY_SNAPSHOT
    [8, "read-only"],
    [1032, "read-only"], // SQLITE_READONLY_DBMOVED
    [10, "io"],
    [1034, "io"], // SQLITE_IOERR_FSYNC
    [4874, "full"], // SQLITE_IOERR_SHMSIZE
    [11, "corrupt"],
    [13, "full"],
    [14, "cannot-open"],
    [26, "not-a-database"],
    [19, "other"], // SQLITE_CONSTRAINT
  ];
  for (const [errcode, failure] of codes) assert.equal(sqliteFailure(sqliteError(errcode)), failure, String(errcode));
  const system = (code: string): Error => Object.assign(new Error("system"), { code, syscall: "open" });
  assert.equal(sqliteFailure(system("ENOSPC")), "full");
  assert.equal(sqliteFailure(system("EACCES")), "cannot-open");
  assert.equal(sqliteFailure(new SqliteFileError("newer", "it is newer")), "newer");
  // Of another copy of this package: it has the name and the code, not the class.
  assert.equal(sqliteFailure(Object.assign(new Error(), { name: "SqliteFileError", code: "foreign" })), "foreign");
  for (const error of [new Error("x"), "text", null, undefined, { errcode: 5 }])
    assert.equal(sqliteFailure(error), "other");
});

test("what is busy is tried again until the time is up, and the process goes on meanwhile", async () => {
  let tries = 0;
  const done = whileBusy(5000, async () => {
    if (++tries < 4) throw sqliteError(5);
    return "done";
  });
  assert.equal(await done, "done");
  assert.equal(tries, 4);
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  await assert.rejects(
    whileBusy(60, () => Promise.reject(sqliteError(5))),
    { errcode: 5 },
  );
  clearInterval(ticking);
  assert.ok(ticks > 5);
});

test("any other failure is thrown at once", async () => {
  let tries = 0;
  await assert.rejects(
    whileBusy(5000, async () => {
      tries++;
      await delay(1);
      throw sqliteError(13);
    }),
    { errcode: 13 },
  );
  assert.equal(tries, 1);
});
