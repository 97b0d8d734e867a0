/**
 * The tables that the vaults of earlier versions have in `vault.sqlite`, and what seals such a file: it is there to be
 * moved from (move.ts), and nothing is added to it any more.
 */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Kysely, Migration } from "kysely";

/** Name -> migration, as they were released. */
export const EARLIER_MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-records": { up: createRecords },
  "0002-repair": { up: addRepair },
  "0003-commits": { up: addCommits },
};

/** The last migration of such a file. */
export const SEAL = "0004-moved";

/**
 * The earlier tables, sealed. A program of an earlier version that runs looks at the schema within each of its
 * transactions, finds a table that is not its own and stops; one that starts finds a migration that it does not know.
 */
export const SEALED_MIGRATIONS: Readonly<Record<string, Migration>> = {
  ...EARLIER_MIGRATIONS,
  [SEAL]: { up: seal },
};

/** Whether these migrations are as far as to have the row that a mark is compared with. */
export const hasCommits = (applied: readonly string[]): boolean => applied.includes("0003-commits");

async function seal(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table moved (
      one integer not null primary key check (one = 1)
    ) strict`.execute(db);
}

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table heads (
      collection text not null,
      id text not null,
      version integer not null check (version >= 1),
      state text not null check (state in ('live', 'removed')),
      updated_at text not null,
      primary key (collection, id)
    ) strict, without rowid`.execute(db);
  // With a rowid: messages are up to a megabyte, and a tree without rowids would carry them in its inner search.
  await sql`
    create table versions (
      collection text not null,
      id text not null,
      version integer not null check (version >= 1),
      subject text not null,
      created_at text not null,
      wraps_stored integer not null,
      wraps_target integer not null,
      message blob not null,
      primary key (collection, id, version)
    ) strict`.execute(db);
  await sql`
    create table wrap_debt (
      collection text not null,
      id text not null,
      version integer not null,
      region text not null,
      key_arn text not null,
      reason text not null,
      since text not null,
      primary key (collection, id, version, key_arn)
    ) strict, without rowid`.execute(db);
}

/** What was owed before is due at once. */
async function addRepair(db: Kysely<unknown>): Promise<void> {
  await sql`alter table wrap_debt add column due_at integer not null default 0`.execute(db);
  await sql`alter table wrap_debt add column holder text`.execute(db);
  await sql`alter table wrap_debt add column attempts integer not null default 0`.execute(db);
  await sql`alter table wrap_debt add column problem text`.execute(db);
  await sql`alter table wrap_debt add column problem_at text`.execute(db);
  // What is claimed next in a region is the first entry of the region, however much is owed.
  await sql`create index wrap_debt_due on wrap_debt (region, due_at)`.execute(db);
}

/** What a mark outside of the file is compared with (mark.ts). */
async function addCommits(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vault (
      one integer not null primary key check (one = 1),
      id text not null,
      commits integer not null
    ) strict`.execute(db);
  await sql`insert into vault (one, id, commits) values (1, ${randomUUID()}, 0)`.execute(db);
}
