import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Kysely, sql } from "kysely";
import type { Migration } from "kysely";
import { NodeSqliteDialect } from "@strongroom/base/sqlite";
import { schemaDifferences, schemaOf } from "@strongroom/base/sqlite-schema";

const made = (statement: string): Migration => ({
  up: async (db: Kysely<unknown>) => {
    await sql.raw(statement).execute(db);
  },
});

const MIGRATIONS = {
  "0001-notes": made("create table notes (text text not null) strict"),
  "0002-more": made("create index by_text on notes (text)"),
};

/** What a hand does to a database that the migrations made -> what is told of it. */
const CHANGES: Readonly<Record<string, RegExp>> = {
  "create trigger keep after delete on notes begin select 1; end": /the trigger keep is not of these notes/,
  "create view more as select * from notes": /the view more is not of these notes/,
  "create table spare (n)": /the table spare is not of these notes/,
  "create virtual table found using fts5(x)": /the table found is not of these notes/,
  "create unique index one on notes (text)": /the index one is not of these notes/,
  "drop index by_text": /the index by_text is missing/,
  "drop index by_text; create index by_text on notes (text desc)": /the index by_text was defined anew/,
  "alter table notes add column n integer": /the table notes was defined anew/,
  "alter table notes add column n integer as (length(text)) virtual": /the table notes was defined anew/,
  "alter table notes rename to kept; create view notes as select * from kept":
    /the table notes is missing.*the view notes is not of/s,
  "pragma user_version = 7": /the pragma user_version is 7, not 0/,
  'create table "\u001b[31m\u0007" (n)': /the table \\u\{1b\}\[31m\\u\{7\} is not of these notes/,
  [`create table "${"x".repeat(5000)}" (n)`]: /^the table x{190}$/m,
  // SQLite runs a statement of its own tables as it stands: a trigger under their names would be one.
  "analyze; pragma writable_schema = on; update sqlite_schema set sql = 'CREATE TRIGGER sqlite_stat1 AFTER INSERT ON notes BEGIN SELECT 1; END' where name = 'sqlite_stat1'":
    /the table sqlite_stat1 was defined anew/,
  "pragma writable_schema = on; update sqlite_schema set sql = replace(sql, 'strict', '') where name = 'notes'":
    /the table notes was defined anew/,
};

async function notes(change: string): Promise<readonly string[]> {
  const database = new DatabaseSync(":memory:", { defensive: false });
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) });
  const wanted = await schemaOf(MIGRATIONS);
  for (const [name, statement] of Object.entries(wanted)) if (name.startsWith("table")) database.exec(statement);
  database.exec(wanted["index by_text"]!);
  database.exec(change);
  try {
    return await schemaDifferences(db, { wanted, owner: "these notes" });
  } finally {
    await db.destroy();
  }
}

test("what the migrations make differs in nothing, also with the planner's statistics", async () => {
  assert.deepEqual(await notes(""), []);
  assert.deepEqual(await notes("insert into notes values ('x'); analyze"), []);
});

for (const [change, told] of Object.entries(CHANGES)) {
  test(`told apart: ${change.slice(0, 90).replace(/[^\x20-\x7e]/g, "?")}`, async () => {
    const problems = await notes(change);
    assert.match(problems.join("\n"), told);
    for (const problem of problems) assert.match(problem, /^[\x20-\x7e]{1,1400}$/);
  });
}

test("many differences are counted, not all named", async () => {
  const many = Array.from({ length: 100 }, (_, n) => `create table t${n} (n);`).join("");
  const problems = await notes(many);
  assert.equal(problems.length, 21);
  assert.equal(problems.at(-1), "80 more");
});
