/**
 * A file of records as the version before people had rows made it, its statements word for word, so that a change of
 * what the migration believes of it is found.
 */
import { DatabaseSync } from "node:sqlite";
import { wrapSetDigest, wrapSetForm } from "@strongroom/vault";
import type { WrapSet } from "@strongroom/vault";
import { APPLICATION_ID } from "../../src/stores/sqlite/schema.ts";
import { MIGRATOR } from "./earlier-vault.ts";

export const VAULT_OF_BEFORE = "0b7d7f4e-0c55-4d3c-9d8e-55b1b0f7a3c1";

const TABLES: readonly string[] = [
  `create table gate (
    one integer not null primary key check (one = 1),
    vault text not null,
    epoch integer not null check (epoch >= 0),
    digest text,
    min_reader integer not null,
    min_writer integer not null,
    commits integer not null
  ) strict`,
  `create table records (
    record integer not null primary key,
    collection text not null,
    id text not null,
    unique (collection, id)
  ) strict`,
  `create table heads (
    record integer not null primary key,
    version integer not null check (version >= 1),
    state text not null check (state in ('live', 'removed')),
    updated_at text not null
  ) strict`,
  `create table wrap_sets (
    id integer not null primary key,
    digest text not null unique,
    form text not null
  ) strict`,
  `create table versions (
    key integer not null primary key,
    record integer not null,
    version integer not null check (version >= 1),
    write_id text not null,
    revision integer not null,
    wrap_set integer not null,
    bucket integer not null,
    since integer not null,
    subject text not null,
    created_at text not null,
    message blob not null,
    unique (record, version)
  ) strict`,
  "create index versions_inventory on versions (wrap_set, bucket, since)",
  `create table failures (
    version_key integer not null primary key,
    attempts integer not null,
    code text not null,
    at text not null,
    due_at integer not null
  ) strict`,
  `create table past_writes (
    write_id text not null primary key,
    state text not null check (state in ('made', 'void')),
    at integer not null
  ) strict, without rowid`,
  "create index past_writes_at on past_writes (at)",
  `create table jobs (
    job text not null,
    partition text not null,
    state text not null check (state in ('free', 'held', 'finished')),
    due_at integer not null,
    fence integer not null,
    cursor text,
    done integer not null,
    failed integer not null,
    problem_code text,
    problem_at text,
    holder text,
    taken_at integer,
    saved_at integer,
    renewed_at integer not null,
    primary key (job, partition)
  ) strict, without rowid`,
  `create table move (
    one integer not null primary key check (one = 1),
    phase text not null check (phase in ('heads', 'versions', 'moved')),
    after_collection blob,
    after_id blob,
    after_row integer not null
  ) strict`,
];

const SET: WrapSet = { wraps: [{ provider: "test", key: "key", material: null }], target: 2, missing: [] };

/** One live record of two versions, and one that was removed; then these further statements. */
export function recordsOfBefore(path: string, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal; pragma application_id = ${APPLICATION_ID}; begin`);
  for (const statement of [...MIGRATOR, ...TABLES]) database.exec(statement);
  database.exec("insert into kysely_migration values ('0004-units', '2026-01-01T00:00:00.000Z')");
  database.prepare("insert into gate values (1, ?, 3, 'digest', 1, 1, 40)").run(VAULT_OF_BEFORE);
  const form = wrapSetForm(SET);
  database.prepare("insert into wrap_sets values (1, ?, ?)").run(wrapSetDigest(form), form);
  database.exec(`
    insert into records values (1, 'people', 'ada'), (2, 'people', 'bob');
    insert into heads values
      (1, 2, 'live', '2026-01-02T00:00:00.000Z'), (2, 1, 'removed', '2026-01-03T00:00:00.000Z');
    insert into versions values
      (1, 1, 1, 'w1', 0, 1, 7, 1767225600000, 'person ada', '2026-01-01T00:00:00.000Z', cast('one' as blob)),
      (2, 1, 2, 'w2', 0, 1, 7, 1767312000000, 'person ada', '2026-01-02T00:00:00.000Z', cast('two' as blob));
    insert into past_writes values ('w0', 'made', 1767312000000)`);
  for (const statement of statements) database.exec(statement);
  database.exec("commit");
}
