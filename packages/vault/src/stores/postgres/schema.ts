/**
 * The tables of a vault in PostgreSQL and how they came to be. Migrations are only ever added: a database that names
 * one that is not here was made by a newer version.
 *
 * - A record's name stands once, in `records`; all else goes by its number. There are no foreign keys: what a hand in
 *   the database takes away is told as damage by whoever reads the rest.
 * - Moments are milliseconds since the epoch, so that no session's time zone or date style comes in, and no infinity.
 * - Messages are stored out of line and not compressed: ciphertext does not compress.
 * - Heads change in place (`fillfactor`, and no index on anything that changes).
 */
import { STORE_FUNCTIONS } from "./functions.sql.ts";
import type { SchemaName } from "./schema-name.ts";

/** One step of the schema. */
export interface PostgresMigration {
  readonly name: string;
  /** Statements that are made in one transaction with all other pending ones. */
  readonly up: (schema: SchemaName) => readonly string[];
  /** Indexes that are made afterwards, beside running writers, each outside of a transaction. */
  readonly indexes?: readonly ConcurrentIndex[];
  /** From here on the lowest `STORE_READER` and `STORE_WRITER` that may use the store; left out: as before. */
  readonly minReader?: number;
  readonly minWriter?: number;
}

/** An index that is made while others write. */
export interface ConcurrentIndex {
  readonly name: string;
  /** What follows `create index concurrently NAME`: `on "s".t (a, b)`. */
  readonly on: (schema: SchemaName) => string;
}

/** Name -> migration, applied in this order. */
export const MIGRATIONS: readonly PostgresMigration[] = [
  { name: "0001-records", up: (schema) => [...tables(schema), ...STORE_FUNCTIONS.map(({ create }) => create(schema))] },
];

const NAME = `text collate "C"`;

const tables = (schema: SchemaName): readonly string[] => [
  // One row: which vault this is, the key set in force, and which programs may use the store. `drained`: the writers of
  // all epochs below it have ended.
  `create table ${schema}.vault (
    one smallint not null constraint vault_pkey primary key constraint vault_one_check check (one = 1),
    id ${NAME} not null,
    epoch bigint not null constraint vault_epoch_check check (epoch >= 0),
    digest ${NAME},
    drained bigint not null,
    version integer not null,
    min_reader integer not null,
    min_writer integer not null
  )`,
  `create table ${schema}.records (
    key bigint generated always as identity constraint records_pkey primary key,
    collection ${NAME} not null,
    id ${NAME} not null,
    constraint records_name_key unique (collection, id)
  )`,
  `create table ${schema}.heads (
    record bigint not null constraint heads_pkey primary key,
    version bigint not null constraint heads_version_check check (version >= 1),
    state ${NAME} not null constraint heads_state_check check (state in ('live', 'removed')),
    updated_at bigint not null,
    write_id ${NAME} not null
  ) with (fillfactor = 85)`,
  `create table ${schema}.wrap_sets (
    id integer generated always as identity constraint wrap_sets_pkey primary key,
    digest ${NAME} not null constraint wrap_sets_digest_key unique,
    form ${NAME} not null,
    stored integer not null,
    target integer not null
  )`,
  // Columns of eight bytes first: nothing is lost between them.
  `create table ${schema}.versions (
    record bigint not null,
    version bigint not null constraint versions_version_check check (version >= 1),
    created_at bigint not null,
    since bigint not null,
    revision bigint not null,
    wrap_set integer not null,
    bucket smallint not null,
    subject ${NAME} not null,
    write_id ${NAME} not null,
    message bytea not null,
    constraint versions_pkey primary key (record, version)
  )`,
  `alter table ${schema}.versions alter column message set storage external`,
  `create index versions_inventory on ${schema}.versions (wrap_set, bucket, since, record, version)`,
  `create table ${schema}.failures (
    record bigint not null,
    version bigint not null,
    attempts bigint not null,
    at bigint not null,
    due_at bigint not null,
    code ${NAME} not null,
    constraint failures_pkey primary key (record, version)
  )`,
  // What became of writes that their rows do not tell: they were given up, or their version was removed since.
  `create table ${schema}.settled (
    write_id ${NAME} not null constraint settled_pkey primary key,
    outcome ${NAME} not null constraint settled_outcome_check check (outcome in ('made', 'void')),
    at bigint not null
  )`,
  `create index settled_at on ${schema}.settled (at)`,
  // `held`: until `due_at`, by whoever knows the fence.
  `create table ${schema}.job_partitions (
    job ${NAME} not null,
    partition ${NAME} not null,
    fence bigint not null,
    held boolean not null,
    finished boolean not null,
    due_at bigint not null,
    renewed_at bigint not null,
    done bigint not null,
    failed bigint not null,
    taken_at bigint,
    saved_at bigint,
    problem_at bigint,
    problem_code ${NAME},
    holder ${NAME},
    cursor ${NAME},
    constraint job_partitions_pkey primary key (job, partition)
  ) with (fillfactor = 85)`,
];
