/**
 * The tables of the audit's log in SQLite and how they came to be. Migrations are only ever added.
 *
 * Entries are appended by position. Beside them lies what is derived from them: who is in which, the newest state of
 * each address, how far each stream is. Ids and hashes are bytes; a tag is its text.
 */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Generated, Kysely, Migration } from "kysely";
import type { OutboxName } from "../audit-log.ts";
import type { HeadState } from "../rows.ts";
import { TABLE, WITH_AUDIT } from "./common-schema.ts";
import type { GateTable, JobTable, RowNumber } from "./common-schema.ts";

/** In the file's header (`PRAGMA application_id`): tells a log from any other SQLite file. The letters "SRAL". */
export const LOG_APPLICATION_ID = 0x5352414c;

/** One row: how far the log is. */
export interface LogStateTable {
  readonly one: Generated<number>;
  readonly history: string | null;
  readonly size: number;
  /** Of each its height in a byte, and its hash; from left to right. */
  readonly peaks: Uint8Array;
  readonly checkpoint: string | null;
  readonly published: number;
  /** 1: every record of before the audit has an entry. */
  readonly adopted: number;
  readonly forgotten: number;
}

export interface EntryTable {
  readonly position: RowNumber;
  readonly id: Uint8Array;
  readonly leaf: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly principal: string;
  readonly action: string;
  readonly collection: string | null;
  /** Null: its time was over. */
  readonly text: Uint8Array | null;
}

/** Who is in which entry. */
export interface EntryPersonTable {
  /** Of a key's version the 16 bytes, of everything else text. */
  readonly person: Uint8Array | string;
  readonly position: RowNumber;
}

/** Of each thousand positions, the first and the last moment that an entry of it has: milliseconds since the epoch. */
export interface SpanTable {
  readonly span: RowNumber;
  readonly least: number;
  readonly greatest: number;
}

/** Roots of complete subtrees of stored heights. */
export interface SubtreeTable {
  readonly height: number;
  readonly place: number;
  readonly hash: Uint8Array;
}

/** The newest state of each address. */
export interface AddressTable {
  readonly tag: string;
  readonly version: number;
  readonly state: HeadState;
  readonly entry: Uint8Array | null;
}

/** Messages that versions may have. */
export interface MessageTable {
  readonly tag: string;
  readonly version: number;
  readonly sha256: Uint8Array;
}

/** How far each stream of an outbox is in the log. */
export interface DeliveredTable {
  readonly outbox: OutboxName;
  readonly stream: Uint8Array;
  readonly number: number;
  /** 1: it has ended. */
  readonly ended: number;
}

export interface LogSchema {
  readonly gate: GateTable;
  readonly jobs: JobTable;
  readonly log_state: LogStateTable;
  readonly entries: EntryTable;
  readonly entry_people: EntryPersonTable;
  readonly spans: SpanTable;
  readonly subtrees: SubtreeTable;
  readonly addresses: AddressTable;
  readonly messages: MessageTable;
  readonly delivered: DeliveredTable;
}

/** Name -> migration, applied in the order of the names, all pending ones in one transaction. */
export const LOG_MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-log": { up: createTables },
  "0002-actions": { up: addActions },
};

/** In the order in which they are made. The text of an entry comes last: what stands before it is read without it. */
const TABLES: readonly string[] = [
  TABLE.gate,
  "alter table gate add column peer text",
  TABLE.jobs,
  `create table log_state (
    one integer not null primary key check (one = 1),
    history text,
    size integer not null check (size >= 0),
    peaks blob not null,
    checkpoint text,
    published integer not null,
    adopted integer not null check (adopted in (0, 1)),
    forgotten integer not null
  ) strict`,
  `create table entries (
    position integer not null primary key,
    id blob not null unique,
    leaf blob not null,
    at integer not null,
    principal text not null,
    action text not null,
    collection text,
    text blob
  ) strict`,
  "create index entries_principal on entries (principal)",
  // What is to be forgotten next, however much is forgotten already.
  "create index entries_whole on entries (at) where text is not null",
  `create table entry_people (
    person any not null,
    position integer not null,
    primary key (person, position)
  ) strict, without rowid`,
  // What goes when an entry is forgotten, and what it is found by.
  "create index entry_people_position on entry_people (position)",
  `create table spans (
    span integer not null primary key,
    least integer not null,
    greatest integer not null
  ) strict`,
  `create table subtrees (
    height integer not null,
    place integer not null,
    hash blob not null,
    primary key (height, place)
  ) strict, without rowid`,
  `create table addresses (
    tag text not null primary key,
    version integer not null check (version >= 1),
    state text not null check (state in ('live', 'removed')),
    entry blob
  ) strict, without rowid`,
  `create table messages (
    tag text not null,
    version integer not null,
    sha256 blob not null,
    primary key (tag, version, sha256)
  ) strict, without rowid`,
  `create table delivered (
    outbox text not null check (outbox in ('records', 'keys')),
    stream blob not null,
    number integer not null check (number >= 1),
    ended integer not null check (ended in (0, 1)),
    primary key (outbox, stream)
  ) strict, without rowid`,
];

/** What was done, as each start asks who was erased, held and restricted: not by reading all that was ever done. */
async function addActions(db: Kysely<unknown>): Promise<void> {
  await sql.raw("create index entries_action on entries (action)").execute(db);
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await sql.raw(table).execute(db);
  await sql`
    insert into gate (one, vault, epoch, digest, min_reader, min_writer, commits)
    values (1, ${randomUUID()}, 0, null, ${WITH_AUDIT.reader}, ${WITH_AUDIT.writer}, 0)`.execute(db);
  await sql`
    insert into log_state (one, size, peaks, published, adopted, forgotten)
    values (1, 0, x'', 0, 0, 0)`.execute(db);
}
