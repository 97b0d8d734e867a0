/**
 * The schema: what the migrations make, that nothing else is taken for it, and programs of two versions on one database.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  inspectPostgres,
  migratePostgres,
  migratePostgresAudit,
  migratePostgresKeys,
  postgresStore,
} from "@strongroom/vault/postgres";
import pg from "pg";
import { defer } from "../../../../tests/support/defer.ts";
import { hasPostgres15 } from "../../../../tests/support/postgres/programs.ts";
import { startPostgres } from "../../../../tests/support/postgres/server.ts";
import { madeLines, SCHEMA_FILE, schemaFile } from "../../../../scripts/postgres-schema.ts";
import { schemaDifferences } from "../../src/stores/postgres/schema-form.ts";
import { migrateWith } from "../../src/stores/postgres/migrate.ts";
import { AUDIT_SCHEMA } from "../../src/stores/postgres/audit/schema.ts";
import { KEY_SCHEMA } from "../../src/stores/postgres/keys/schema.ts";
import type { PostgresMigration } from "../../src/stores/postgres/migration.ts";
import { MIGRATIONS, RECORD_SCHEMA } from "../../src/stores/postgres/schema.ts";
import { parseSchema } from "../../src/stores/postgres/schema-name.ts";
import { rejectsWith } from "../support/errors.ts";
import { fileServer, newSchema, poolOf } from "./support/storage.ts";
import { get, put, remove } from "./support/units.ts";

const { server, pool, url } = await fileServer();

test("the lines that a store compares with are those that the migrations make", async () => {
  assert.equal(readFileSync(SCHEMA_FILE, "utf8"), await schemaFile(server));
});

test("in a schema of another name, and in an older server, they are the same", async (t) => {
  const older = hasPostgres15 ? await startPostgres(t, { version: 15 }) : null;
  if (older === null) t.diagnostic("PostgreSQL 15 is not installed here");
  for (const [migrate, of] of [
    [migratePostgres, RECORD_SCHEMA],
    [migratePostgresKeys, KEY_SCHEMA],
    [migratePostgresAudit, AUDIT_SCHEMA],
  ] as const)
    for (const [where, name] of [
      [server, "another_one"],
      ...(older === null ? [] : [[older, "strongroom"] as const]),
    ] as const) {
      const lines = await madeLines(where, migrate, name);
      const compared = { of, schema: parseSchema(name), isNewer: false, pendingIndexes: [] };
      assert.deepEqual(schemaDifferences(lines, compared), []);
    }
});

test("a database without a vault, or on its way, is told what to do", async (t) => {
  const error = await rejectsWith("store-failed", () => postgresStore(pool, { schema: "nobody" }));
  assert.match(error.message, /strongroom store migrate/);
  const { version, pending, gate } = await inspectPostgres(pool, { schema: "nobody" });
  assert.deepEqual([version, pending, gate], [null, MIGRATIONS.map(({ name }) => name), null]);
  const made = await newSchema(t, pool);
  await made.forge("delete from s.migrations where name = '0002-people'");
  assert.match((await rejectsWith("store-failed", () => made.open())).message, /0002-people.*strongroom store migrate/);
});

test("a schema that somebody else uses is left alone", async (t) => {
  await pool.query("create schema taken; create table taken.customers (id int)");
  defer(t, () => pool.query("drop schema taken cascade"));
  await rejectsWith("store-failed", () => migratePostgres(pool, { schema: "taken" }));
  assert.equal((await pool.query("select to_regclass('taken.migrations') as made")).rows[0]?.made, null);
  for (const schema of ["pg_catalog", 'a"b', "A", "", "x".repeat(64), "a.b"])
    await rejectsWith("vault-option-invalid", () => migratePostgres(pool, { schema }));
});

const ALTERATIONS: Readonly<Record<string, RegExp>> = {
  "create function s.spy() returns trigger language plpgsql as 'begin return new; end'": /function spy is not of/,
  "create trigger spy before insert on s.versions for each row execute function suppress_redundant_updates_trigger()":
    /trigger versions\.spy is not of/,
  "create rule spy as on insert to s.heads do also select 1": /rule heads\.spy is not of/,
  "alter table s.heads enable row level security": /relation heads was defined anew/,
  "create policy spy on s.heads using (false)": /policy heads\.spy is not of/,
  "alter table s.heads drop constraint heads_state_check": /constraint heads\.heads_state_check is missing/,
  "alter table s.versions drop constraint versions_pkey": /versions_pkey is missing/,
  "alter table s.versions add column copy bytea": /column versions\.copy is not of/,
  "alter table s.versions alter column subject set default 'eve'": /column versions\.subject was defined anew/,
  "alter table s.versions alter column message set storage plain": /column versions\.message was defined anew/,
  'alter table s.records alter column id type text collate "default"': /column records\.id was defined anew/,
  "alter table s.heads set unlogged": /relation heads was defined anew/,
  "create table s.heirs () inherits (s.heads)": /heir .*heirs is not of/,
  "create view s.people as select 1 as one": /relation people is not of/,
  "drop index s.versions_inventory": /index versions_inventory is missing/,
  "alter table s.outbox drop constraint outbox_pkey": /outbox_pkey is missing/,
  "alter table s.outbox alter column position drop identity": /column outbox\.position was defined anew/,
  "create rule spy as on insert to s.outbox do instead nothing": /rule outbox\.spy is not of/,
  "create rule spy as on insert to s.unique_tags do instead nothing": /rule unique_tags\.spy is not of/,
  "alter table s.unique_tags drop constraint unique_tags_pkey": /unique_tags_pkey is missing/,
  "drop index s.tags_record": /index tags_record is missing/,
  "alter function s.put_v1 security definer": /function put_v1 was defined anew/,
  "alter function s.apply_v1 set search_path to public": /function apply_v1 was defined anew/,
  "create function s.apply_v1(text) returns text language sql as 'select 1'": /function apply_v1 /,
  "create domain s.name as text": /type name is not of/,
  "create or replace function s.outcome_v1(p_vault text, p_writer integer, p_lock_ms integer, p_write_ids text[], p_collections text[], p_ids text[]) returns table(result text) language plpgsql as 'begin return query select ''void''::text; end'":
    /function outcome_v1 was defined anew/,
};

for (const [sql, named] of Object.entries(ALTERATIONS))
  test(`what a hand plants is noticed: ${sql.slice(0, 60)}`, async (t) => {
    const made = await newSchema(t, pool);
    await made.open();
    await made.forge(sql);
    assert.match((await rejectsWith("store-altered", () => made.open())).message, named);
    const { differences } = await inspectPostgres(pool, { schema: made.schema });
    assert.ok(differences.some((line) => named.test(line)));
  });

/** What a later version might bring. */
const LATER: PostgresMigration = {
  name: "9001-later",
  up: (schema) => [
    `alter table ${schema}.versions add column note text`,
    `create function ${schema}.apply_v9() returns integer language sql as 'select 9'`,
  ],
  indexes: [{ name: "versions_subject", on: (schema) => `on ${schema}.versions (subject)` }],
};

test("a program goes on beside a newer one, and opens its database, but makes none of its migrations", async (t) => {
  const made = await newSchema(t, pool);
  const running = await made.open();
  await put(running, "ada", null, 1);
  const done = await migrateWith([...MIGRATIONS, LATER], pool, { schema: made.schema });
  assert.deepEqual(done, ["9001-later", "index versions_subject"]);
  await put(running, "ada", 1, 2);
  const opened = await made.open();
  await put(opened, "ada", 2, 3);
  assert.equal(await get(running, "ada"), "message 3");
  await rejectsWith("store-newer", () => migratePostgres(pool, { schema: made.schema }));
  const { newer, differences } = await inspectPostgres(pool, { schema: made.schema });
  assert.deepEqual([newer, differences], [["9001-later"], []]);
  await made.forge(
    "create trigger spy before insert on s.versions for each row execute function suppress_redundant_updates_trigger()",
  );
  await rejectsWith("store-altered", () => made.open());
});

test("a program that must not write any more is told, and reads on; one that must not read neither", async (t) => {
  const made = await newSchema(t, pool);
  const running = await made.open();
  await put(running, "ada", null, 1);
  const noWriter: PostgresMigration = { name: "9001-writers", up: () => [], minWriter: 6 };
  await migrateWith([...MIGRATIONS, noWriter], pool, { schema: made.schema });
  await rejectsWith("store-newer", () => put(running, "ada", 1, 2));
  await rejectsWith("store-newer", () => remove(running, "ada", 1));
  assert.equal(await get(running, "ada"), "message 1");
  assert.equal(await get(await made.open(), "ada"), "message 1");
  const noReader: PostgresMigration = { name: "9002-readers", up: () => [], minReader: 4 };
  await migrateWith([...MIGRATIONS, noWriter, noReader], pool, { schema: made.schema });
  await rejectsWith("store-newer", () => get(running, "ada"));
  await rejectsWith("store-newer", () => running.ping());
  await rejectsWith("store-newer", () => made.open());
});

test("an index is made beside a writer, and one that was left half made is made again", async (t) => {
  const made = await newSchema(t, pool);
  const store = await made.open();
  for (const id of ["a", "b"]) await put(store, id, null, 1);
  // The same subject twice: it fails, and leaves an index behind that is not valid.
  await assert.rejects(
    pool.query(`create unique index concurrently versions_subject on ${made.schema}.versions (subject)`),
  );
  const writing = { isOver: false };
  const migrating = migrateWith([...MIGRATIONS, LATER], pool, { schema: made.schema }).finally(() => {
    writing.isOver = true;
  });
  for (let version = 1; !writing.isOver; version++) await put(store, "a", version, version + 1);
  assert.deepEqual(await migrating, ["9001-later", "index versions_subject"]);
  const { rows } = await pool.query(
    `select indisvalid, indisunique from pg_index where indexrelid = '${made.schema}.versions_subject'::regclass`,
  );
  assert.deepEqual(rows, [{ indisvalid: true, indisunique: false }]);
  assert.deepEqual(await migrateWith([...MIGRATIONS, LATER], pool, { schema: made.schema }), []);
});

test("of several that migrate at once one makes it, and the others wait; what fails leaves nothing", async (t) => {
  defer(t, () => pool.query("drop schema at_once cascade"));
  const done = await Promise.all(Array.from({ length: 5 }, () => migratePostgres(pool, { schema: "at_once" })));
  assert.deepEqual(
    done.flat(),
    MIGRATIONS.map(({ name }) => name),
  );
  const broken: PostgresMigration = {
    name: "9001-broken",
    up: (schema) => [`drop table ${schema}.failures`, "select 1/0"],
  };
  await rejectsWith("store-failed", () => migrateWith([...MIGRATIONS, broken], pool, { schema: "at_once" }));
  assert.deepEqual((await inspectPostgres(pool, { schema: "at_once" })).differences, []);
});

test("a user that only uses has what a store needs, and no more", async (t) => {
  const made = await newSchema(t, pool);
  const admin = new pg.Pool({ connectionString: server.adminUrl.replace(/[^/]*$/, new URL(url).pathname.slice(1)) });
  await admin.query(`create role "the app" login password '${server.password}'`);
  const app = poolOf(url.replace("//strongroom:", "//the%20app:"));
  defer(t, async () => {
    await app.end();
    await admin.query(`drop owned by "the app"; drop role "the app"`);
    await admin.end();
  });
  await rejectsWith("store-failed", () => postgresStore(app, { schema: made.schema }));
  await migratePostgres(pool, { schema: made.schema, grantTo: "the app" });
  const store = await postgresStore(app, { schema: made.schema });
  await put(store, "ada", null, 1);
  assert.equal(await store.gate.flip({ from: 0 as never, digest: "first" }), "flipped");
  await put(store, "ada", 1, 2, { epoch: 1 });
  await remove(store, "ada", 2);
  await store.jobs.add("repair", ["0"]);
  assert.ok((await store.jobs.lease({ job: "repair", holder: "app", ms: 1000 })) !== null);
  await store.close();
  for (const sql of [
    "drop table s.heads",
    "create table s.more (id int)",
    "delete from s.migrations",
    "delete from s.vault",
    "update s.vault set min_reader = 9",
    "alter function s.put_v1 security definer",
    "create trigger spy before insert on s.heads for each row execute function suppress_redundant_updates_trigger()",
  ])
    await assert.rejects(app.query(sql.replaceAll("s.", `${made.schema}.`)), /permission denied|must be owner/, sql);
});
