/**
 * Files of the earlier released versions, word for word as those versions made them: their statements are written out
 * here, so that a change of what the move believes of them is found.
 */
import { DatabaseSync } from "node:sqlite";
import { APPLICATION_ID } from "../../src/stores/sqlite/schema.ts";

/** Tables of Kysely's migrator, as they are in files of every version. */
export const MIGRATOR: readonly string[] = [
  'create table "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null)',
  'create table "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null)',
  "insert into kysely_migration_lock values ('migration_lock', 0)",
];

/** Name of a migration -> its statements. */
export const EARLIER: Readonly<Record<string, readonly string[]>> = {
  "0001-records": [
    `create table heads (
      collection text not null,
      id text not null,
      version integer not null check (version >= 1),
      state text not null check (state in ('live', 'removed')),
      updated_at text not null,
      primary key (collection, id)
    ) strict, without rowid`,
    `create table versions (
      collection text not null,
      id text not null,
      version integer not null check (version >= 1),
      subject text not null,
      created_at text not null,
      wraps_stored integer not null,
      wraps_target integer not null,
      message blob not null,
      primary key (collection, id, version)
    ) strict`,
    `create table wrap_debt (
      collection text not null,
      id text not null,
      version integer not null,
      region text not null,
      key_arn text not null,
      reason text not null,
      since text not null,
      primary key (collection, id, version, key_arn)
    ) strict, without rowid`,
  ],
  "0002-repair": [
    "alter table wrap_debt add column due_at integer not null default 0",
    "alter table wrap_debt add column holder text",
    "alter table wrap_debt add column attempts integer not null default 0",
    "alter table wrap_debt add column problem text",
    "alter table wrap_debt add column problem_at text",
    "create index wrap_debt_due on wrap_debt (region, due_at)",
  ],
  "0003-commits": [
    `create table vault (
      one integer not null primary key check (one = 1),
      id text not null,
      commits integer not null
    ) strict`,
  ],
};

export const EARLIER_VAULT = "7c1f3a52-6a0e-4c55-9d55-0a6b1b0f7a11";

/** Makes such a file, with as many of the migrations as are asked for, and these further statements. */
export function earlierFile(path: string, migrations: 1 | 2 | 3, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal; pragma application_id = ${APPLICATION_ID}; begin`);
  for (const statement of MIGRATOR) database.exec(statement);
  for (const [name, made] of Object.entries(EARLIER).slice(0, migrations)) {
    for (const statement of made) database.exec(statement);
    database.prepare("insert into kysely_migration values (?, '2026-01-01T00:00:00.000Z')").run(name);
  }
  if (migrations === 3) database.prepare("insert into vault values (1, ?, 40)").run(EARLIER_VAULT);
  database.exec("pragma ignore_check_constraints = on");
  for (const statement of statements) database.exec(statement);
  database.exec("commit");
}

/** Rows of one person's version, as SQL: it owes nothing. */
export const earlierVersion = (id: string, version: number, message = `message ${id} ${version}`): string =>
  `insert into versions values ('people', '${id}', ${version}, 'subject of ${id}', '2026-01-0${version}T00:00:00.000Z',
    2, 3, cast('${message}' as blob))`;

export const earlierHead = (id: string, version: number, state = "live"): string =>
  `insert into heads values ('people', '${id}', ${version}, '${state}', '2026-01-0${version}T00:00:00.000Z')`;
