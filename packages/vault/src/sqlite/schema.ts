/**
 * The tables of a vault in SQLite and how they came to be. Migrations are only ever added: a database that names one
 * that is not here was made by a newer version.
 */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Generated, Kysely, Migration } from "kysely";

/** In the file's header (`PRAGMA application_id`): tells a vault from any other SQLite file. The letters "SRMV". */
export const APPLICATION_ID = 0x53524d56;

export interface HeadTable {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  readonly state: "live" | "removed";
  readonly updated_at: string;
}

export interface VersionTable {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  readonly subject: string;
  readonly created_at: string;
  readonly wraps_stored: number;
  readonly wraps_target: number;
  readonly message: Uint8Array;
}

export interface WrapDebtTable {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  readonly region: string;
  readonly key_arn: string;
  readonly reason: string;
  readonly since: string;
  /** From when it may be claimed, in milliseconds since the epoch. All rows of a version have the same. */
  readonly due_at: Generated<number>;
  /** Who repairs it until `due_at`. */
  readonly holder: string | null;
  /** Repairs that failed one after the other, and why and when the last did. */
  readonly attempts: Generated<number>;
  readonly problem: string | null;
  readonly problem_at: string | null;
}

/** One row: which vault this is, and how many changes it has seen. */
export interface VaultTable {
  readonly one: 1;
  readonly id: string;
  readonly commits: number;
}

export interface VaultSchema {
  readonly vault: VaultTable;
  readonly heads: HeadTable;
  readonly versions: VersionTable;
  readonly wrap_debt: WrapDebtTable;
}

/** Name -> migration, applied in the order of the names, all pending ones in one transaction. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-records": { up: createRecords },
  "0002-repair": { up: addRepair },
  "0003-commits": { up: addCommits },
};

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
