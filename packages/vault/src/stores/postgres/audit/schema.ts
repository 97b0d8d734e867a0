/**
 * The tables of the audit's log in PostgreSQL, which has a schema of its own, in any database. What holds for those of
 * the records (../schema.ts) holds here.
 *
 * - `entries` stays for good: leaves, and by what an entry is found. Its text lies in a table of its own, as who is in
 *   it does, and goes when its time is over.
 * - `latest`: of an entry and all before it, the latest moment. It only grows, so that the first entry that can be of a
 *   moment or later is found by halving, whatever the clocks of the writers were.
 * - `log` is one row, which whoever adds to the log locks first.
 */
import { gateTable, jobsTable, NAME, peerColumn } from "../common-tables.ts";
import type { StoreFunction } from "../functions/function.ts";
import { INTEGRATE } from "../functions/integrate.ts";
import { LOG_FUNCTIONS } from "../functions/log.ts";
import { AUDIT_LINES, COMMON_LINES } from "../schema-lines.ts";
import type { StoreSchema } from "../migration.ts";
import type { SchemaName } from "../schema-name.ts";

const FUNCTIONS: readonly StoreFunction[] = [INTEGRATE, ...LOG_FUNCTIONS];

/** The schema of the audit's log. */
export const AUDIT_SCHEMA: StoreSchema = {
  what: "audit log",
  migrations: [
    {
      name: "0001-log",
      up: (schema) => [...tables(schema), ...FUNCTIONS.map(({ create }) => create(schema))],
      // As the stores whose entries are in it.
      minReader: 3,
      minWriter: 3,
    },
  ],
  functions: FUNCTIONS,
  lines: [...COMMON_LINES, ...AUDIT_LINES],
};

const tables = (schema: SchemaName): readonly string[] => [
  gateTable(schema),
  peerColumn(schema),
  jobsTable(schema),
  // `subtrees`: of each a byte, which is its height, and its hash.
  `create table ${schema}.log (
    one smallint not null constraint log_pkey primary key constraint log_one_check check (one = 1),
    adopted boolean not null,
    size bigint not null,
    published bigint not null,
    forgotten bigint not null,
    history uuid,
    subtrees bytea not null,
    checkpoint ${NAME}
  ) with (fillfactor = 10)`,
  `alter table ${schema}.log alter column subtrees set storage external`,
  `insert into ${schema}.log values (1, false, 0, 0, 0, null, '', null)`,
  `create table ${schema}.entries (
    position bigint not null constraint entries_pkey primary key,
    at bigint not null,
    latest bigint not null,
    id uuid not null constraint entries_id_key unique,
    leaf bytea not null,
    principal ${NAME} not null,
    action ${NAME} not null,
    collection ${NAME}
  )`,
  `create index entries_principal on ${schema}.entries (principal, position)`,
  `create index entries_action on ${schema}.entries (action, position)`,
  `create index entries_collection on ${schema}.entries (collection, position) where collection is not null`,
  `create table ${schema}.texts (
    position bigint not null constraint texts_pkey primary key,
    text bytea not null
  )`,
  `alter table ${schema}.texts alter column text set storage external`,
  // Who is in an entry: versions of audit keys.
  `create table ${schema}.people (
    position bigint not null,
    key ${NAME} not null,
    constraint people_pkey primary key (key, position)
  )`,
  `create index people_position on ${schema}.people (position)`,
  `create table ${schema}.subtrees (
    index bigint not null,
    height smallint not null,
    hash bytea not null,
    constraint subtrees_pkey primary key (height, index)
  )`,
  `create table ${schema}.heads (
    version bigint not null,
    entry uuid,
    tag ${NAME} not null constraint heads_pkey primary key,
    state ${NAME} not null
  ) with (fillfactor = 85)`,
  `create table ${schema}.messages (
    version bigint not null,
    tag ${NAME} not null,
    sha256 bytea not null,
    constraint messages_pkey primary key (tag, version, sha256)
  )`,
  `create table ${schema}.streams (
    number bigint not null,
    stream uuid not null,
    ended boolean not null,
    outbox ${NAME} not null,
    constraint streams_pkey primary key (outbox, stream)
  ) with (fillfactor = 10)`,
];
