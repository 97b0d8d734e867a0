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
import type { SubjectState } from "../subjects.ts";
import { TABLE, WITH_AUDIT, WITH_KEPT } from "./common-schema.ts";
import type { CommonSchema, RowNumber } from "./common-schema.ts";
import { OUTBOX_TABLES, refuseBefore } from "./outbox-schema.ts";
import type { OutboxSchema } from "./outbox-schema.ts";
import { TAG_TABLES } from "./tag-schema.ts";
import type { TagSchema } from "./tag-schema.ts";

/** In the file's header (`PRAGMA application_id`): tells a vault from any other SQLite file. The letters "SRMV". */
export const APPLICATION_ID = 0x53524d56;

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
  /** The record's own id, sealed, where the address has a keyed hash of it. */
  readonly sealed_id: Uint8Array | null;
  /** The 16 bytes of the id of the audit entry of the write that made it; null: it had none. */
  readonly entry: Uint8Array | null;
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
  /** Of scheme 1, a name; of scheme 2, what whom.ts writes: further columns would stand behind the message. */
  readonly subject: string;
  readonly created_at: string;
  readonly message: Uint8Array;
}

/** People, by number in the order in which they came. */
export interface SubjectTable {
  readonly subject: Generated<RowNumber>;
  /** The 16 bytes of the opaque id. */
  readonly id: Uint8Array;
  readonly state: SubjectState;
  /** The highest ordinals of keys that have sealed. */
  readonly subject_ordinal: number;
  readonly tenant_ordinal: number;
}

/** Which records have had a version about whom. */
export interface LinkTable {
  readonly subject: RowNumber;
  readonly record: RowNumber;
}

/** Write ids that no version has: of removals, of what was removed, and of what will never be made. */
export interface PastWriteTable {
  readonly write_id: string;
  readonly state: "made" | "void";
  readonly at: number;
}

/** A row while records are moved in from a file of an earlier version (move.ts): how far that is. */
export interface MoveTable {
  readonly one: Generated<number>;
  readonly phase: "heads" | "versions" | "moved";
  readonly after_collection: Uint8Array | null;
  readonly after_id: Uint8Array | null;
  readonly after_row: number;
}

/** Messages that were replaced, each of the version of that key. */
export interface KeptTable {
  readonly version_key: RowNumber;
  readonly wrap_set: number;
  readonly bucket: RowNumber;
  readonly message: Uint8Array;
}

export interface NoteTable {
  readonly name: string;
  readonly text: string;
}

export interface VaultSchema extends CommonSchema, OutboxSchema, TagSchema {
  readonly records: RecordTable;
  readonly heads: HeadTable;
  readonly versions: VersionTable;
  readonly subjects: SubjectTable;
  readonly links: LinkTable;
  readonly past_writes: PastWriteTable;
  readonly move: MoveTable;
  readonly kept: KeptTable;
  readonly notes: NoteTable;
}

/** Name -> migration, applied in the order of the names, all pending ones in one transaction. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0004-units": { up: createTables },
  "0005-subjects": { up: addSubjects },
  "0006-audit": { up: addAudit },
  "0007-convergence": { up: addConvergence },
  "0008-indexes": { up: addIndexes },
};

/** In the order in which they are made. The message comes last: what stands before it is read without it. */
const TABLES: readonly string[] = [
  TABLE.gate,
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
  TABLE.wrapSets,
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
  TABLE.failures,
  `create table past_writes (
    write_id text not null primary key,
    state text not null check (state in ('made', 'void')),
    at integer not null
  ) strict, without rowid`,
  "create index past_writes_at on past_writes (at)",
  TABLE.jobs,
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
    values (1, ${randomUUID()}, 0, null, ${WITH_AUDIT.reader}, ${WITH_AUDIT.writer}, 0)`.execute(db);
}

/**
 * What a version of scheme 1 has stays as it is. A program of before must not go on: it would write versions of which
 * nobody's row is asked, and leave links behind.
 */
const SUBJECT_TABLES: readonly string[] = [
  "alter table gate add column peer text",
  "alter table heads add column sealed_id blob",
  `create table subjects (
    subject integer not null primary key,
    id blob not null unique,
    state text not null check (state in ('active', 'restricted', 'erasing', 'erased')),
    subject_ordinal integer not null,
    tenant_ordinal integer not null
  ) strict`,
  `create table links (
    subject integer not null,
    record integer not null,
    primary key (subject, record)
  ) strict, without rowid`,
  // What a removal takes away.
  "create index links_record on links (record)",
];

async function addSubjects(db: Kysely<unknown>): Promise<void> {
  for (const table of SUBJECT_TABLES) await sql.raw(table).execute(db);
  await refuseBefore(db, WITH_AUDIT);
}

/** Heads of before name no entry. */
async function addAudit(db: Kysely<unknown>): Promise<void> {
  for (const table of ["alter table heads add column entry blob", ...OUTBOX_TABLES]) await sql.raw(table).execute(db);
  await refuseBefore(db, WITH_AUDIT);
}

const CONVERGENCE_TABLES: readonly string[] = [
  `create table kept (
    version_key integer not null primary key,
    wrap_set integer not null,
    bucket integer not null,
    message blob not null
  ) strict`,
  "create index kept_wrap_set on kept (wrap_set)",
  "create index kept_bucket on kept (bucket)",
  `create table notes (
    name text not null primary key,
    text text not null
  ) strict`,
];

/** A program of before must not write on: it would remove records and leave behind what is kept of them. */
async function addConvergence(db: Kysely<unknown>): Promise<void> {
  for (const table of CONVERGENCE_TABLES) await sql.raw(table).execute(db);
  await refuseBefore(db, WITH_KEPT);
}

/** A program of before must not write on: it would remove records and leave their tags behind. */
async function addIndexes(db: Kysely<unknown>): Promise<void> {
  for (const table of TAG_TABLES) await sql.raw(table).execute(db);
  await refuseBefore(db, { reader: STORE_READER, writer: STORE_WRITER });
}
