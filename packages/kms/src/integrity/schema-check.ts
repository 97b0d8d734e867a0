// Whether a database has the schema that the migrations make, word for word, and nothing beside it.
// Threat: a trigger, a view in the place of a table, or a default or collation of a column, planted in the file by
// someone who can write it, would do its work with every commit of the server.

import { shown } from "@strongroom/base/shown";
import { MIGRATION_TABLES, schemaDifferences } from "@strongroom/base/sqlite-schema";
import type { SchemaForm } from "@strongroom/base/sqlite-schema";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import { MIGRATIONS } from "../store/schema.ts";
import type { Schema } from "../store/schema.ts";
import { ROW_TABLES } from "./row-mac.ts";

const text = (...columns: readonly string[]): readonly string[] => columns.map((name) => `"${name}" text not null`);
const table = (name: string, columns: readonly string[]): string => `CREATE TABLE "${name}" (${columns.join(", ")})`;
const primaryKey = (name: string, ...columns: readonly string[]): string =>
  `constraint "${name}_pk" primary key (${columns.map((column) => `"${column}"`).join(", ")})`;

/**
 * Table -> the statement that made it, as SQLite keeps it. Written out, and not made by running the migrations: another
 * version of Kysely may word them otherwise, and the databases that are there have these words.
 */
const TABLES: SchemaForm = {
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
const SET_ASIDE: SchemaForm = { audit_0001: chain("audit_0001") };

/** The schema that the first migration makes: of a database that no start has brought to this version. */
const FIRST_TABLES: SchemaForm = Object.fromEntries(
  Object.entries({ ...TABLES, audit: chain("audit") })
    .filter(([name]) => name !== "audit_nodes")
    .map(([name, statement]) => [
      name,
      Object.hasOwn(ROW_TABLES, name) ? statement.replace('"mac" blob, ', "") : statement,
    ]),
);

const formOf = (tables: SchemaForm): SchemaForm =>
  Object.fromEntries(Object.entries(tables).map(([name, statement]) => [`table ${name}`, statement]));

const LATEST: SchemaForm = { ...MIGRATION_TABLES, ...formOf(TABLES) };
const FIRST: SchemaForm = { ...MIGRATION_TABLES, ...formOf(FIRST_TABLES) };

/**
 * Refuses a database with another schema; one that is only read may have that of the first migration.
 * @throws KmsError `store-corrupt`, naming everything that differs.
 */
export async function requireSchema(db: Kysely<Schema>): Promise<void> {
  const owner = "this KMS";
  const compared = (await hasFirstAudit(db))
    ? { wanted: FIRST, owner }
    : { wanted: LATEST, optional: formOf(SET_ASIDE), owner };
  const problems = await schemaDifferences(db, compared);
  if (problems.length === 0) return;
  if (!problems.includes("the table kysely_migration is missing")) await requireKnownMigrations(db);
  throw new KmsError("store-corrupt", `its schema was changed: ${problems.join("; ")}.`, {
    remedy: "Keep a copy, find out who changed it, and restore a backup, or drop what does not belong there.",
  });
}

/** Whether the audit is still the chain of the first migration. */
async function hasFirstAudit(db: Kysely<Schema>): Promise<boolean> {
  const { rows } = await sql`
    select 1 from sqlite_schema where type = 'table' and sql = ${FIRST["table audit"]}`.execute(db);
  return rows.length > 0;
}

async function requireKnownMigrations(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ name: unknown }>`select name from kysely_migration order by name`.execute(db);
  const unknown = rows.map(({ name }) => String(name)).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) throw new KmsError("store-newer", `it has the migration ${shown(unknown.join(", "))}.`);
}
