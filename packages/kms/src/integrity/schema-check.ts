// Whether a database has the schema that the migrations make, word for word, and nothing beside it.
// Threat: a trigger, a view in the place of a table, or a default or collation of a column, planted in the file by
// someone who can write it, would do its work with every commit of the server.

import { sql } from "kysely";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import { MIGRATIONS } from "../store/schema.ts";
import type { Schema } from "../store/schema.ts";
import { ROW_TABLES, shown } from "./row-mac.ts";

const text = (...columns: readonly string[]): readonly string[] => columns.map((name) => `"${name}" text not null`);
const table = (name: string, columns: readonly string[]): string => `CREATE TABLE "${name}" (${columns.join(", ")})`;
const primaryKey = (name: string, ...columns: readonly string[]): string =>
  `constraint "${name}_pk" primary key (${columns.map((column) => `"${column}"`).join(", ")})`;

/**
 * Table -> the statement that made it, as SQLite keeps it. Written out, and not made by running the migrations: another
 * version of Kysely may word them otherwise, and the databases that are there have these words.
 */
const TABLES: Readonly<Record<string, string>> = {
  kysely_migration: table("kysely_migration", [
    '"name" varchar(255) not null primary key',
    '"timestamp" varchar(255) not null',
  ]),
  kysely_migration_lock: table("kysely_migration_lock", [
    '"id" varchar(255) not null primary key',
    '"is_locked" integer default 0 not null',
  ]),
  meta: table("meta", ['"name" text primary key', '"value" blob not null']),
  keys: table("keys", [...text("region", "key_id", "record"), '"mac" blob', primaryKey("keys", "region", "key_id")]),
  backing_keys: table("backing_keys", [
    ...text("region", "key_id", "material_id"),
    '"position" integer not null',
    ...text("record"),
    '"public_key" blob',
    '"sealed" blob',
    '"mac" blob',
    primaryKey("backing_keys", "region", "key_id", "material_id"),
  ]),
  aliases: table("aliases", [
    ...text("region", "name", "key_id"),
    '"created_at" integer not null',
    '"updated_at" integer not null',
    '"mac" blob',
    primaryKey("aliases", "region", "name"),
  ]),
  grants: table("grants", [
    ...text("region", "grant_id", "key_id", "record"),
    '"mac" blob',
    primaryKey("grants", "region", "grant_id"),
  ]),
  import_keys: table("import_keys", [
    ...text("region", "key_id", "token_id", "algorithm"),
    '"valid_to" integer not null',
    '"sealed" blob not null',
    '"mac" blob',
    primaryKey("import_keys", "region", "key_id", "token_id"),
  ]),
  last_uses: table("last_uses", [
    ...text("region", "key_id", "record"),
    '"mac" blob',
    primaryKey("last_uses", "region", "key_id"),
  ]),
  audit: table("audit", ['"seq" integer primary key', '"event" text', '"leaf" blob not null']),
  audit_nodes: table("audit_nodes", [
    '"height" integer not null',
    '"position" integer not null',
    '"hash" blob not null',
    primaryKey("audit_nodes", "height", "position"),
  ]),
};

/** The audit of an earlier version. */
const chain = (name: string): string =>
  table(name, ['"seq" integer primary key', '"event" text not null', '"mac" blob not null']);

/** Where the last migration sets it aside, until its entries are adopted. */
const SET_ASIDE: typeof TABLES = { audit_0001: chain("audit_0001") };

/** The schema that the first migration makes: of a database that no start has brought to this version. */
const FIRST_TABLES: typeof TABLES = Object.fromEntries(
  Object.entries({ ...TABLES, audit: chain("audit") })
    .filter(([name]) => name !== "audit_nodes")
    .map(([name, statement]) => [
      name,
      Object.hasOwn(ROW_TABLES, name) ? statement.replace('"mac" blob, ', "") : statement,
    ]),
);

/**
 * Refuses a database with another schema; one that is only read may have that of the first migration.
 * @throws KmsError `store-corrupt`, naming everything that differs.
 */
export async function requireSchema(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ type: string; name: string; statement: string | null }>`
    select cast(type as text) as type, cast(name as text) as name, cast(sql as text) as statement
    from sqlite_schema`.execute(db);
  const own = rows.filter((row) => !isSqlites(row));
  const isFirst = own.some(({ statement }) => statement === FIRST_TABLES["audit"]);
  const wanted = isFirst ? FIRST_TABLES : TABLES;
  const known = { ...wanted, ...(!isFirst && SET_ASIDE) };
  const missing = Object.keys(wanted).filter((name) => !own.some((row) => row.type === "table" && row.name === name));
  const problems = [
    ...missing.map((name) => `the table ${name} is missing`),
    ...own
      .filter(({ type, name }) => type !== "table" || !Object.hasOwn(known, name))
      .map(({ type, name }) => `the ${type} ${shown(name)} is not of this KMS`),
    ...own
      .filter(
        ({ type, name, statement }) => type === "table" && Object.hasOwn(known, name) && statement !== known[name],
      )
      .map(({ name }) => `the table ${name} was defined anew`),
  ];
  if (problems.length === 0) return;
  if (!missing.includes("kysely_migration")) await requireKnownMigrations(db);
  throw new KmsError("store-corrupt", `its schema was changed: ${problems.slice(0, 20).join("; ")}.`, {
    remedy: "Keep a copy, find out who changed it, and restore a backup, or drop what does not belong there.",
  });
}

async function requireKnownMigrations(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ name: unknown }>`select name from kysely_migration order by name`.execute(db);
  const unknown = rows.map(({ name }) => String(name)).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) throw new KmsError("store-newer", `it has the migration ${shown(unknown.join(", "))}.`);
}

/** What SQLite makes by itself: the indexes of primary keys, and the statistics for its planner. */
const isSqlites = ({ type, name, statement }: { type: string; name: string; statement: string | null }): boolean =>
  (type === "index" && statement === null && name.startsWith("sqlite_autoindex_")) ||
  (type === "table" && /^sqlite_stat[14]$/.test(name));
