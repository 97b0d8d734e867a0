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
  compared: ComparedSchema,
): Promise<readonly string[]> {
  return differences(await objectsOf(db), await keptPragmas(db), compared);
}

/** The same of a connection that is used without Kysely, at once. */
export function schemaDifferencesOf(database: DatabaseSync, compared: ComparedSchema): readonly string[] {
  const objects = database.prepare(OBJECTS).all() as unknown as readonly FoundObject[];
  const pragmas = Object.keys(KEPT_PRAGMAS).map((name) => database.prepare(`pragma ${name}`).get()?.[name]);
  return differences(objects.flatMap(schemaObject), pragmas, compared);
}

/** `pragmas`: their values, in the order of {@link KEPT_PRAGMAS}. */
function differences(
  found: readonly SchemaObject[],
  pragmas: readonly unknown[],
  { wanted, optional = {}, owner }: ComparedSchema,
): readonly string[] {
  const known: SchemaForm = { ...STATISTICS, ...optional, ...wanted };
  const names = new Set(found.map(nameOf));
  const problems = [
    ...Object.keys(wanted)
      .filter((name) => !names.has(name))
      .map((name) => `the ${name} is missing`),
    ...found.filter((one) => !Object.hasOwn(known, nameOf(one))).map((one) => `the ${nameOf(one)} is not of ${owner}`),
    ...found
      .filter((one) => Object.hasOwn(known, nameOf(one)) && one.statement !== known[nameOf(one)])
      .map((one) => `the ${nameOf(one)} was defined anew`),
    ...Object.entries(KEPT_PRAGMAS)
      .map(([name, value], index) => ({ name, value, is: pragmas[index] }))
      .filter(({ value, is }) => is !== value)
      .map(({ name, value, is }) => `the pragma ${name} is ${String(is)}, not ${value}`),
  ].map(shown);
  const more = problems.length - MOST_NAMED;
  return more <= 0 ? problems : [...problems.slice(0, MOST_NAMED), `${more} more`];
}

const nameOf = ({ type, name }: SchemaObject): string => `${type} ${name}`;

const OBJECTS = `select cast(type as text) as type, cast(name as text) as name, cast(sql as text) as statement
  from sqlite_schema`;

/** A row of it may hold anything. */
type FoundObject = { readonly [Column in keyof SchemaObject]: string | null };

/** None for the indexes that SQLite makes of primary keys. */
function schemaObject({ type, name, statement }: FoundObject): readonly SchemaObject[] {
  const isMadeBySqlite = type === "index" && statement === null && (name ?? "").startsWith("sqlite_autoindex_");
  return isMadeBySqlite ? [] : [{ type: type ?? "", name: name ?? "", statement }];
}

/** All that is defined. */
async function objectsOf<Schema>(db: Kysely<Schema>): Promise<readonly SchemaObject[]> {
  return (await sql.raw<FoundObject>(OBJECTS).execute(db)).rows.flatMap(schemaObject);
}

async function keptPragmas<Schema>(db: Kysely<Schema>): Promise<readonly unknown[]> {
  const values: unknown[] = [];
  for (const name of Object.keys(KEPT_PRAGMAS)) {
    const { rows } = await sql.raw<Readonly<Record<string, unknown>>>(`pragma ${name}`).execute(db);
    values.push(rows[0]?.[name]);
  }
  return values;
}
