/**
 * The tables of a key store in SQLite and how they came to be. Migrations are only ever added.
 *
 * An owner has one integer, which the rows of keys and names name. A person's id and a key's version are 16 bytes here,
 * and the 36 characters of a UUID everywhere else.
 */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Generated, Kysely, Migration } from "kysely";
import { TABLE, WITH_AUDIT } from "./common-schema.ts";
import type { CommonSchema, RowNumber } from "./common-schema.ts";
import { OUTBOX_TABLES, refuseBefore } from "./outbox-schema.ts";
import type { OutboxSchema } from "./outbox-schema.ts";

/** In the file's header (`PRAGMA application_id`): tells a key store from any other SQLite file. The letters "SRKS". */
export const KEY_APPLICATION_ID = 0x53524b53;

/** Whose keys there are, or were. The row of who was erased stays: it is the tombstone. */
export interface OwnerTable {
  readonly owner: Generated<RowNumber>;
  /** Of a person, the 16 bytes of the opaque id; of everybody else, text. */
  readonly name: Uint8Array | string;
  /** ISO 8601, UTC; null: was not erased. */
  readonly erased_at: string | null;
}

/** Names of people. */
export interface NameTable {
  readonly owner: RowNumber;
  readonly tag: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Versions of keys. */
export interface KeyTable {
  readonly key: Generated<RowNumber>;
  readonly owner: RowNumber;
  /** The kind's place in `KEY_KINDS`, from 0. */
  readonly kind: number;
  readonly ordinal: number;
  readonly version: Uint8Array;
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly created_at: number;
  readonly key_check: Uint8Array;
  /** How often its wraps were replaced. */
  readonly revision: number;
  readonly wrap_set: number;
  readonly bucket: number;
  /** Since when it has its wrap set, in milliseconds since the epoch. */
  readonly since: number;
  readonly wraps: Uint8Array;
}

/** One row, or none: the newest checkpoint of the audit's log. */
export interface CheckpointTable {
  readonly one: Generated<number>;
  readonly note: string;
}

export interface KeySchema extends CommonSchema, OutboxSchema {
  readonly owners: OwnerTable;
  readonly names: NameTable;
  readonly keys: KeyTable;
  readonly checkpoint: CheckpointTable;
}

/** Name -> migration, applied in the order of the names, all pending ones in one transaction. */
export const KEY_MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-keys": { up: createTables },
  "0002-audit": { up: addAudit },
};

/** In the order in which they are made. */
const TABLES: readonly string[] = [
  TABLE.gate,
  "alter table gate add column peer text",
  TABLE.wrapSets,
  `create table owners (
    owner integer not null primary key,
    name any not null unique,
    erased_at text
  ) strict`,
  `create table names (
    owner integer not null primary key,
    tag blob not null unique,
    sealed blob not null
  ) strict`,
  `create table keys (
    key integer not null primary key,
    owner integer not null,
    kind integer not null,
    ordinal integer not null check (ordinal >= 1),
    version blob not null,
    generation integer not null,
    created_at integer not null,
    key_check blob not null,
    revision integer not null,
    wrap_set integer not null,
    bucket integer not null,
    since integer not null,
    wraps blob not null,
    unique (owner, kind, ordinal)
  ) strict`,
  "create index keys_inventory on keys (wrap_set, bucket, since)",
  TABLE.failures,
  TABLE.jobs,
];

async function createTables(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await sql.raw(table).execute(db);
  await sql`
    insert into gate (one, vault, epoch, digest, min_reader, min_writer, commits)
    values (1, ${randomUUID()}, 0, null, ${WITH_AUDIT.reader}, ${WITH_AUDIT.writer}, 0)`.execute(db);
}

const AUDIT_TABLES: readonly string[] = [
  ...OUTBOX_TABLES,
  `create table checkpoint (
    one integer not null primary key check (one = 1),
    note text not null
  ) strict`,
  // Of a part of an entry only the version of the key is known that has sealed it.
  "create index keys_version on keys (version)",
];

async function addAudit(db: Kysely<unknown>): Promise<void> {
  for (const table of AUDIT_TABLES) await sql.raw(table).execute(db);
  await refuseBefore(db, WITH_AUDIT);
}
