/**
 * Whether a SQLite file holds what its application makes, word for word, and nothing beside it.
 * Threat: someone who can write the file plants a trigger, a view in the place of a table, or another default, check or
 * collation of a column, which does its work with every commit of the application.
 */
import { Kysely, Migrator, sql } from "kysely";
import type { Migration } from "kysely";
import { DatabaseSync } from "node:sqlite";
import { shown } from "./shown.ts";
import { NodeSqliteDialect } from "./sqlite-dialect.ts";

/** What a schema has: `table heads` -> the statement that made it, as SQLite keeps it. */
export type SchemaForm = Readonly<Record<string, string>>;

/** One row of `sqlite_schema`. */
interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly statement: string | null;
}

/**
 * The tables in which Kysely keeps which migrations were made. Written out: another version of Kysely may word them
 * otherwise, and the databases that are there have these words.
 */
export const MIGRATION_TABLES: SchemaForm = {
  "table kysely_migration":
    'CREATE TABLE "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null)',
  "table kysely_migration_lock":
    'CREATE TABLE "kysely_migration_lock" ' +
    '("id" varchar(255) not null primary key, "is_locked" integer default 0 not null)',
};

/** What SQLite itself adds for its planner. A statement of another form under these names would be run as it is. */
const STATISTICS: SchemaForm = {
  "table sqlite_stat1": "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
  "table sqlite_stat4": "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
};

/** Pragmas that are kept in the file -> the value that a file of ours has. */
const KEPT_PRAGMAS: Readonly<Record<string, string | number>> = { encoding: "UTF-8", user_version: 0 };

/** Most differences that are named. */
const MOST_NAMED = 20;

/** What these migrations make, in an empty database. */
export async function schemaOf(migrations: Readonly<Record<string, Migration>>): Promise<SchemaForm> {
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(new DatabaseSync(":memory:")) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error("the migration failed", { cause: error });
    const made = (await objectsOf(db)).map((one) => [nameOf(one), one.statement ?? ""]);
    return { ...(Object.fromEntries(made) as SchemaForm), ...MIGRATION_TABLES };
  } finally {
    await db.destroy();
  }
}

/** How a schema is compared. */
export interface ComparedSchema {
  readonly wanted: SchemaForm;
  /** What may be there as well. */
  readonly optional?: SchemaForm;
  /** Whose the schema is, for the lines: "this KMS". */
  readonly owner: string;
}

/** What differs, a line each, with every name cut and escaped; empty when nothing does. */
export async function schemaDifferences<Schema>(
  db: Kysely<Schema>,
  { wanted, optional = {}, owner }: ComparedSchema,
): Promise<readonly string[]> {
  const known: SchemaForm = { ...STATISTICS, ...optional, ...wanted };
  const found = await objectsOf(db);
  const names = new Set(found.map(nameOf));
  const problems = [
    ...Object.keys(wanted)
      .filter((name) => !names.has(name))
      .map((name) => `the ${name} is missing`),
    ...found.filter((one) => !Object.hasOwn(known, nameOf(one))).map((one) => `the ${nameOf(one)} is not of ${owner}`),
    ...found
      .filter((one) => Object.hasOwn(known, nameOf(one)) && one.statement !== known[nameOf(one)])
      .map((one) => `the ${nameOf(one)} was defined anew`),
    ...(await pragmaDifferences(db)),
  ].map(shown);
  const more = problems.length - MOST_NAMED;
  return more <= 0 ? problems : [...problems.slice(0, MOST_NAMED), `${more} more`];
}

const nameOf = ({ type, name }: SchemaObject): string => `${type} ${name}`;

/** All that is defined, but for the indexes that SQLite makes of primary keys. */
async function objectsOf<Schema>(db: Kysely<Schema>): Promise<readonly SchemaObject[]> {
  const { rows } = await sql<{ readonly [Column in keyof SchemaObject]: string | null }>`
    select cast(type as text) as type, cast(name as text) as name, cast(sql as text) as statement
    from sqlite_schema`.execute(db);
  return rows
    .map(({ type, name, statement }) => ({ type: type ?? "", name: name ?? "", statement }))
    .filter((one) => !(one.type === "index" && one.statement === null && one.name.startsWith("sqlite_autoindex_")));
}

async function pragmaDifferences<Schema>(db: Kysely<Schema>): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(KEPT_PRAGMAS)) {
    const { rows } = await sql<Readonly<Record<string, unknown>>>`pragma ${sql.raw(name)}`.execute(db);
    if (rows[0]?.[name] !== value) problems.push(`the pragma ${name} is ${String(rows[0]?.[name])}, not ${value}`);
  }
  return problems;
}
