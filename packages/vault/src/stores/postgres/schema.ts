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
import { gateTable, jobsTable, NAME, outboxTables, peerColumn, wrapSetsTable } from "./common-tables.ts";
import { AHEAD } from "./functions/ahead.ts";
import { APPLY_1, APPLY_2, APPLY_3, APPLY_4, APPLY_5 } from "./functions/apply.ts";
import { FIND_TAGS } from "./functions/find-tags.ts";
import type { StoreFunction } from "./functions/function.ts";
import { FILL, FORGET, PURGE } from "./functions/indexes.ts";
import { APPEND, OUTBOX_FUNCTIONS } from "./functions/outbox.ts";
import { OUTCOME } from "./functions/outcome.ts";
import { PUT_1, PUT_2, PUT_3, PUT_4 } from "./functions/put.ts";
import { DROP_KEPT, RESTORE } from "./functions/kept.ts";
import { REPLACE_NOTE } from "./functions/notes.ts";
import { REWRAP, REWRAP_2 } from "./functions/rewrap.ts";
import { COMMON_LINES, RECORD_LINES, STORE_LINES } from "./schema-lines.ts";
import type { PostgresMigration, StoreSchema } from "./migration.ts";
import type { SchemaName } from "./schema-name.ts";

/** Those of each migration, in their order. Each is made once, and stays for programs that run on. */
const FIRST: readonly StoreFunction[] = [APPLY_1, PUT_1, OUTCOME, REWRAP];
const SECOND: readonly StoreFunction[] = [APPLY_2, PUT_2, AHEAD];
const THIRD: readonly StoreFunction[] = [APPLY_3, PUT_3, APPEND, ...OUTBOX_FUNCTIONS];
const FOURTH: readonly StoreFunction[] = [APPLY_4, REWRAP_2, RESTORE, DROP_KEPT, REPLACE_NOTE];
const FIFTH: readonly StoreFunction[] = [APPLY_5, PUT_4, FIND_TAGS, FILL, FORGET, PURGE];

const created = (functions: readonly StoreFunction[], schema: SchemaName): readonly string[] =>
  functions.map(({ create }) => create(schema));

/** Name -> migration, applied in this order. */
export const MIGRATIONS: readonly PostgresMigration[] = [
  { name: "0001-records", up: (schema) => [...tables(schema), ...created(FIRST, schema)] },
  {
    name: "0002-people",
    up: (schema) => [...peopleTables(schema), ...created(SECOND, schema)],
    // A version whose people have keys of their own is nothing that a program of before could read.
    minReader: 2,
    minWriter: 2,
  },
  {
    name: "0003-audit",
    up: (schema) => [...auditTables(schema), ...created(THIRD, schema)],
    // What is written without an entry, and read without one, is what nobody is told of.
    minReader: 3,
    minWriter: 3,
  },
  {
    name: "0004-convergence",
    up: (schema) => [...convergenceTables(schema), ...created(FOURTH, schema)],
    // It would remove records and leave behind what is kept of them. It reads as before.
    minWriter: 4,
  },
  {
    name: "0005-tags",
    up: (schema) => [...tagTables(schema), ...created(FIFTH, schema)],
    // It would change records and leave them to be found by what they were.
    minWriter: 5,
  },
];

/** The schema of the records. */
export const RECORD_SCHEMA: StoreSchema = {
  what: "vault",
  migrations: MIGRATIONS,
  functions: [...FIRST, ...SECOND, ...THIRD, ...FOURTH, ...FIFTH],
  lines: [...COMMON_LINES, ...STORE_LINES, ...RECORD_LINES],
};

const tables = (schema: SchemaName): readonly string[] => [
  gateTable(schema),
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
  wrapSetsTable(schema),
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
  jobsTable(schema),
];

/** The gate first: every call begins at it, so that none of them is waited for while it waits for a table. */
const peopleTables = (schema: SchemaName): readonly string[] => [
  peerColumn(schema),
  `alter table ${schema}.heads add column sealed_id bytea`,
  `alter table ${schema}.heads alter column sealed_id set storage external`,
  // `about`: ids, with commas between them; null: nobody else. No constraint: to check it would read all versions.
  `alter table ${schema}.versions add column scheme smallint not null default 1, add column about ${NAME}`,
  `create table ${schema}.subjects (
    key bigint generated always as identity constraint subjects_pkey primary key,
    id ${NAME} not null constraint subjects_id_key unique,
    state ${NAME} not null
      constraint subjects_state_check check (state in ('active', 'restricted', 'erasing', 'erased')),
    subject_ordinal bigint not null,
    tenant_ordinal bigint not null
  ) with (fillfactor = 85)`,
  `create table ${schema}.links (
    subject bigint not null,
    record bigint not null,
    constraint links_pkey primary key (subject, record)
  )`,
  `create index links_record on ${schema}.links (record)`,
];

/** The gate first, as above. `entry`: of the write that made the head; null: it had none. */
const auditTables = (schema: SchemaName): readonly string[] => [
  `lock table ${schema}.vault in access exclusive mode`,
  `alter table ${schema}.heads add column entry uuid`,
  ...outboxTables(schema),
];

/**
 * The gate first, as above. `kept`: messages that were replaced, of the version of that record and number; `notes`:
 * texts that processes share.
 */
const convergenceTables = (schema: SchemaName): readonly string[] => [
  `lock table ${schema}.vault in access exclusive mode`,
  `create table ${schema}.kept (
    record bigint not null,
    version bigint not null,
    wrap_set integer not null,
    bucket smallint not null,
    message bytea not null,
    constraint kept_pkey primary key (record, version)
  )`,
  `alter table ${schema}.kept alter column message set storage external`,
  `create index kept_wrap_set on ${schema}.kept (wrap_set)`,
  `create index kept_bucket on ${schema}.kept (bucket, record, version)`,
  `create table ${schema}.notes (
    name ${NAME} not null constraint notes_pkey primary key,
    text ${NAME} not null
  ) with (fillfactor = 85)`,
];

/**
 * The gate first, as above. An index has a number, which its tags go by, and which is never given out again. In the
 * keys of tags, the record is last: all records of a tag lie together, in their order.
 */
const tagTables = (schema: SchemaName): readonly string[] => [
  `lock table ${schema}.vault in access exclusive mode`,
  `create table ${schema}.indexes (
    key integer generated always as identity constraint indexes_key_key unique,
    id ${NAME} not null constraint indexes_pkey primary key,
    collection ${NAME} not null,
    name ${NAME} not null,
    is_unique boolean not null,
    state ${NAME} not null constraint indexes_state_check check (state in ('building', 'ready', 'dropped'))
  )`,
  `create table ${schema}.tags (
    record bigint not null,
    index integer not null,
    tag bytea not null,
    constraint tags_pkey primary key (index, tag, record)
  )`,
  `create index tags_record on ${schema}.tags (record)`,
  `create table ${schema}.unique_tags (
    record bigint not null,
    index integer not null,
    tag bytea not null,
    constraint unique_tags_pkey primary key (index, tag)
  )`,
  `create index unique_tags_record on ${schema}.unique_tags (record)`,
];
