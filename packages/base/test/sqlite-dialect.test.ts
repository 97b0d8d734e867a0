import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { CompiledQuery, Kysely } from "kysely";
import { NodeSqliteDialect, sqliteFailure } from "@strongroom/base/sqlite";
import { PREPARED_STATEMENTS, PreparedDatabase } from "../src/sqlite-dialect.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** A database that counts what it prepares. */
class CountingDatabase extends DatabaseSync {
  readonly prepared: string[] = [];

  override prepare(sql: string): ReturnType<DatabaseSync["prepare"]> {
    this.prepared.push(sql);
    return super.prepare(sql);
  }
}

test("a statement is prepared once, and the one used least recently goes when there are too many", () => {
  const raw = new CountingDatabase(":memory:");
  const database = new PreparedDatabase(raw);
  const text = (n: number): string => `select ${n}`;
  for (let n = 0; n < PREPARED_STATEMENTS; n++) database.prepare(text(n));
  for (let n = 0; n < PREPARED_STATEMENTS; n++) database.prepare(text(n));
  assert.equal(raw.prepared.length, PREPARED_STATEMENTS, "all of them are kept");
  database.prepare(text(0));
  database.prepare("select 'one more'");
  raw.prepared.length = 0;
  database.prepare(text(0));
  assert.deepEqual(raw.prepared, [], "what was used lately is kept");
  database.prepare(text(1));
  assert.deepEqual(raw.prepared, [text(1)], "what was used longest ago is not");
  database.close();
  database.close();
  assert.equal(raw.isOpen, false);
});

interface Notes {
  notes: { n: number };
}

test("a transaction takes the write lock when it begins; one of a database that is only read does not", async (t) => {
  const path = join(temporaryFolder(t), "a.sqlite");
  const raw = new DatabaseSync(path, { timeout: 0 });
  raw.exec("pragma journal_mode = wal; create table notes (n integer)");
  const db = new Kysely<Notes>({ dialect: new NodeSqliteDialect(raw) });
  using other = new DatabaseSync(path, { timeout: 0 });
  await db.transaction().execute(async () => {
    assert.throws(
      () => {
        other.exec("begin immediate");
      },
      (error) => sqliteFailure(error) === "busy",
    );
    const reader = new Kysely<Notes>({
      dialect: new NodeSqliteDialect(new DatabaseSync(path, { readOnly: true }), { transactions: "deferred" }),
    });
    const rows = await reader.transaction().execute((trx) => trx.selectFrom("notes").selectAll().execute());
    assert.deepEqual(rows, []);
    await reader.destroy();
  });
  await db.destroy();
  assert.equal(raw.isOpen, false, "the database is closed with its dialect");
});

test("a transaction that SQLite itself took back says why, not that it was over already", async (t) => {
  const raw = new DatabaseSync(join(temporaryFolder(t), "a.sqlite"));
  raw.exec("create table notes (n integer)");
  const db = new Kysely<Notes>({ dialect: new NodeSqliteDialect(raw) });
  const failing = db.transaction().execute(async (trx) => {
    await trx.insertInto("notes").values({ n: 1 }).execute();
    await trx.executeQuery(CompiledQuery.raw("rollback"));
    throw new Error("the reason");
  });
  await assert.rejects(failing, /the reason/);
  assert.deepEqual(await db.selectFrom("notes").selectAll().execute(), []);
  await db.destroy();
});

test("rows come one by one, and what was changed is told", async () => {
  const raw = new DatabaseSync(":memory:");
  raw.exec("create table notes (n integer)");
  const db = new Kysely<Notes>({ dialect: new NodeSqliteDialect(raw) });
  for (const n of [1, 2, 3]) {
    const { numInsertedOrUpdatedRows } = await db.insertInto("notes").values({ n }).executeTakeFirstOrThrow();
    assert.equal(numInsertedOrUpdatedRows, 1n);
  }
  const seen: number[] = [];
  for await (const { n } of db.selectFrom("notes").selectAll().orderBy("n").stream()) seen.push(n);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(
    (await db.introspection.getTables()).map(({ name }) => name),
    ["notes"],
  );
  await db.destroy();
});
