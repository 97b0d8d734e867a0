/**
 * The tables of a store in SQLite and how they came to be. Migrations are only ever added: a database that names one
 * that is not here was made by a newer version. The numbers go on where the files of earlier versions end
 * (earlier-schema.ts), so that those versions say the same of this one.
 *
 * A record has one integer for its address, which its other rows name: they are appended in the order in which they are
 * written, wherever their ids stand in the alphabet.
 */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Generated, Kysely, Migration } from "kysely";
import { STORE_READER, STORE_WRITER } from "../gate.ts";
import type { HeadState } from "../rows.ts";

/** In the file's header (`PRAGMA application_id`): tells a vault from any other SQLite file. The letters "SRMV". */
export const APPLICATION_ID = 0x53524d56;

/** One row: which vault this is, which key set is in force, and how many transactions it has seen. */
export interface GateTable {
  readonly one: Generated<number>;
  readonly vault: string;
  readonly epoch: number;
  readonly digest: string | null;
  readonly min_reader: number;
  readonly min_writer: number;
  readonly commits: number;
}

/** A row's number: of one that a hand made, beyond what a JavaScript number holds. */
export type RowNumber = number | bigint;

/** Addresses. A row stays when its record is removed. */
export interface RecordTable {
  readonly record: Generated<RowNumber>;
  readonly collection: string;
  readonly id: string;
}

export interface HeadTable {
  readonly record: RowNumber;
  readonly version: number;
  readonly state: HeadState;
  readonly updated_at: string;
}

/** Each distinct wrap set, as `wrapSetForm` writes it. */
export interface WrapSetTable {
  readonly id: Generated<number>;
  readonly digest: string;
  readonly form: string;
}

export interface VersionTable {
  readonly key: Generated<RowNumber>;
  readonly record: RowNumber;
  readonly version: number;
  /** Empty: the version was moved from a file of an earlier version. */
  readonly write_id: string;
  /** How often the message was replaced. */
  readonly revision: number;
  readonly wrap_set: number;
  readonly bucket: number;
  /** Since when it has its wrap set, in milliseconds since the epoch. */
  readonly since: number;
  readonly subject: string;
  readonly created_at: string;
  readonly message: Uint8Array;
}

/** Versions whose last repair failed. */
export interface FailureTable {
  readonly version_key: RowNumber;
  readonly attempts: number;
  readonly code: string;
  readonly at: string;
  /** From when it is due again, in milliseconds since the epoch. */
  readonly due_at: number;
}

/** Write ids that no version has: of removals, of what was removed, and of what will never be made. */
export interface PastWriteTable {
  readonly write_id: string;
  readonly state: "made" | "void";
  readonly at: number;
}

/** Partitions of jobs. Moments are milliseconds since the epoch. */
export interface JobTable {
  readonly job: string;
  readonly partition: string;
  readonly state: "free" | "held" | "finished";
  /** Free: when it is due. Held: when the lease runs out. */
  readonly due_at: number;
  readonly fence: number;
  readonly cursor: string | null;
  readonly done: number;
  readonly failed: number;
  readonly problem_code: string | null;
  readonly problem_at: string | null;
  readonly holder: string | null;
  readonly taken_at: number | null;
  readonly saved_at: number | null;
  /** When the lease was taken or last made longer. */
  readonly renewed_at: number;
}

/** A row while records are moved in from a file of an earlier version (move.ts): how far that is. */
export interface MoveTable {
  readonly one: Generated<number>;
  readonly phase: "heads" | "versions" | "moved";
  readonly after_collection: Uint8Array | null;
  readonly after_id: Uint8Array | null;
  readonly after_row: number;
}

export interface VaultSchema {
  readonly gate: GateTable;
  readonly records: RecordTable;
  readonly heads: HeadTable;
  readonly wrap_sets: WrapSetTable;
  readonly versions: VersionTable;
  readonly failures: FailureTable;
  readonly past_writes: PastWriteTable;
  readonly jobs: JobTable;
  readonly move: MoveTable;
}

/** Name -> migration, applied in the order of the names, all pending ones in one transaction. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0004-units": { up: createTables },
};

/** In the order in which they are made. The message comes last: what stands before it is read without it. */
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

async function createTables(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await sql.raw(table).execute(db);
  await sql`
    insert into gate (one, vault, epoch, digest, min_reader, min_writer, commits)
    values (1, ${randomUUID()}, 0, null, ${STORE_READER}, ${STORE_WRITER}, 0)`.execute(db);
}
