/**
 * The tables of a key store in PostgreSQL, which has a schema of its own, or a database, or a cluster. What holds for
 * those of the records (../schema.ts) holds here.
 *
 * - An owner's name stands once, in `owners`; all else goes by its number. The row stays when a person is erased: it is
 *   the tombstone.
 * - No column says which version of a key is the active one: it is the one of the highest ordinal.
 */
import { gateTable, jobsTable, NAME, outboxTables, peerColumn, wrapSetsTable } from "../common-tables.ts";
import { CREATE, ERASE, OWNERS } from "../functions/create-keys.ts";
import type { StoreFunction } from "../functions/function.ts";
import { APPEND_TO_KEYS, OUTBOX_FUNCTIONS } from "../functions/outbox.ts";
import { REWRAP_KEY, REWRAP_KEY_2 } from "../functions/rewrap.ts";
import { COMMON_LINES, KEY_LINES, STORE_LINES } from "../schema-lines.ts";
import type { StoreSchema } from "../migration.ts";
import type { SchemaName } from "../schema-name.ts";

/** Those of each migration, in their order. */
const FIRST: readonly StoreFunction[] = [CREATE, ERASE, REWRAP_KEY];
const SECOND: readonly StoreFunction[] = [APPEND_TO_KEYS, ...OUTBOX_FUNCTIONS, OWNERS];

const THIRD: readonly StoreFunction[] = [REWRAP_KEY_2];

const created = (functions: readonly StoreFunction[], schema: SchemaName): readonly string[] =>
  functions.map(({ create }) => create(schema));

/** The schema of the keys. */
export const KEY_SCHEMA: StoreSchema = {
  what: "key store",
  migrations: [
    {
      name: "0001-keys",
      up: (schema) => [...tables(schema), ...created(FIRST, schema)],
      // As the records that belong to it.
      minReader: 2,
      minWriter: 2,
    },
    {
      name: "0002-audit",
      up: (schema) => [...auditTables(schema), ...created(SECOND, schema)],
      // As the records that belong to it.
      minReader: 3,
      minWriter: 3,
    },
    // A program of before goes on: it moves no keys, and writes nothing that this one would not.
    { name: "0003-moves", up: (schema) => created(THIRD, schema) },
  ],
  functions: [...FIRST, ...SECOND, ...THIRD],
  lines: [...COMMON_LINES, ...STORE_LINES, ...KEY_LINES],
};

const tables = (schema: SchemaName): readonly string[] => [
  gateTable(schema),
  peerColumn(schema),
  `create table ${schema}.owners (
    key bigint generated always as identity constraint owners_pkey primary key,
    erased_at bigint,
    name ${NAME} not null constraint owners_name_key unique
  )`,
  `create table ${schema}.names (
    owner bigint not null constraint names_pkey primary key,
    tag bytea not null constraint names_tag_key unique,
    sealed bytea not null
  )`,
  `alter table ${schema}.names alter column sealed set storage external`,
  wrapSetsTable(schema),
  // `wraps`: all of them in one value (wraps.ts).
  `create table ${schema}.keys (
    key bigint generated always as identity constraint keys_pkey primary key,
    owner bigint not null,
    ordinal bigint not null constraint keys_ordinal_check check (ordinal >= 1),
    created_at bigint not null,
    since bigint not null,
    generation bigint not null constraint keys_generation_check check (generation >= 0),
    revision bigint not null,
    wrap_set integer not null,
    bucket smallint not null,
    kind ${NAME} not null,
    version uuid not null,
    key_check bytea not null,
    wraps bytea not null,
    constraint keys_ordinal_key unique (owner, kind, ordinal),
    constraint keys_version_key unique (owner, version)
  )`,
  `alter table ${schema}.keys alter column wraps set storage external`,
  `create index keys_inventory on ${schema}.keys (wrap_set, bucket, since, key)`,
  `create table ${schema}.failures (
    key bigint not null constraint failures_pkey primary key,
    attempts bigint not null,
    at bigint not null,
    due_at bigint not null,
    code ${NAME} not null
  )`,
  jobsTable(schema),
];

/**
 * The gate first: every call begins at it. An entry of the audit names the version of a key, and never whose it is:
 * `keys_by_version`.
 */
const auditTables = (schema: SchemaName): readonly string[] => [
  `lock table ${schema}.vault in access exclusive mode`,
  `create index keys_by_version on ${schema}.keys (version)`,
  `create table ${schema}.checkpoint (
    one smallint not null constraint checkpoint_pkey primary key constraint checkpoint_one_check check (one = 1),
    note ${NAME} not null
  )`,
  ...outboxTables(schema),
];
