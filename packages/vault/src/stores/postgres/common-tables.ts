/**
 * Tables that stores have in common: the gate, wrap sets, jobs, and the outbox.
 */
import type { SchemaName } from "./schema-name.ts";

/** Texts are compared and sorted by their bytes. */
export const NAME = `text collate "C"`;

/**
 * One row: which store this is, the key set in force, and which programs may use the store. `drained`: the writers of
 * all epochs below it have ended.
 */
export const gateTable = (schema: SchemaName): string => `create table ${schema}.vault (
    one smallint not null constraint vault_pkey primary key constraint vault_one_check check (one = 1),
    id ${NAME} not null,
    epoch bigint not null constraint vault_epoch_check check (epoch >= 0),
    digest ${NAME},
    drained bigint not null,
    version integer not null,
    min_reader integer not null,
    min_writer integer not null
  )`;

/** `peer`: the store that it belongs together with. */
export const peerColumn = (schema: SchemaName): string => `alter table ${schema}.vault add column peer ${NAME}`;

export const wrapSetsTable = (schema: SchemaName): string => `create table ${schema}.wrap_sets (
    id integer generated always as identity constraint wrap_sets_pkey primary key,
    digest ${NAME} not null constraint wrap_sets_digest_key unique,
    form ${NAME} not null,
    stored integer not null,
    target integer not null
  )`;

/** `held`: until `due_at`, by whoever knows the fence. */
export const jobsTable = (schema: SchemaName): string => `create table ${schema}.job_partitions (
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
  ) with (fillfactor = 85)`;

/**
 * Entries of the audit that wait, and how far their streams are. A position is given out when an entry is written; none
 * comes twice. Streams change in place, all of them with nearly every write: a page has room for many states of few.
 */
export const outboxTables = (schema: SchemaName): readonly string[] => [
  `create table ${schema}.outbox (
    position bigint generated always as identity constraint outbox_pkey primary key,
    number bigint not null,
    at bigint not null,
    id uuid not null,
    stream uuid not null,
    ends boolean not null,
    tag ${NAME},
    mac bytea not null,
    text bytea not null
  )`,
  `alter table ${schema}.outbox alter column text set storage external`,
  `create index outbox_stream on ${schema}.outbox (stream)`,
  `create index outbox_tag on ${schema}.outbox (tag) where tag is not null`,
  `create table ${schema}.streams (
    stream uuid not null constraint streams_pkey primary key,
    last bigint not null,
    at bigint not null
  ) with (fillfactor = 10)`,
];
