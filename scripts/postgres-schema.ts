/**
 * What the migrations of the vault's stores in PostgreSQL make, as the lines that an opened store compares with: made in
 * a real server, written as a source file for each.
 */
import { migratePostgres, migratePostgresKeys } from "@strongroom/vault/postgres";
import type { MigratePostgresOptions, PostgresPool } from "@strongroom/vault/postgres";
import { format, resolveConfig } from "prettier";
import pg from "pg";
import { Connections } from "../packages/vault/src/stores/postgres/connection.ts";
import { schemaLines } from "../packages/vault/src/stores/postgres/schema-form.ts";
import type { SchemaLine } from "../packages/vault/src/stores/postgres/schema-form.ts";
import { DEFAULT_SCHEMA, parseSchema } from "../packages/vault/src/stores/postgres/schema-name.ts";
import type { PostgresServer } from "../tests/support/postgres/server.ts";

/** A schema whose lines are a source file. */
export interface WrittenSchema {
  readonly file: URL;
  readonly constant: string;
  readonly migrate: (pool: PostgresPool, options: MigratePostgresOptions) => Promise<readonly string[]>;
}

const file = (name: string): URL => new URL(`../packages/vault/src/stores/postgres/${name}`, import.meta.url);

export const RECORD_LINES: WrittenSchema = {
  file: file("schema-lines.ts"),
  constant: "SCHEMA_LINES",
  migrate: migratePostgres,
};

export const KEY_LINES: WrittenSchema = {
  file: file("keys/schema-lines.ts"),
  constant: "KEY_SCHEMA_LINES",
  migrate: migratePostgresKeys,
};

/** What a migrated schema of this server holds, in the order of the names. */
export async function madeLines(
  server: PostgresServer,
  { migrate }: WrittenSchema,
  schema: string = DEFAULT_SCHEMA,
): Promise<readonly SchemaLine[]> {
  const pool = new pg.Pool({ connectionString: await server.createDatabase() });
  try {
    await migrate(pool, { schema });
    const times = { connectTimeoutMs: 10_000, answerTimeoutMs: 10_000 };
    const connections = new Connections(pool, times, { isNamed: false });
    const lines = await connections.borrow((connection) => schemaLines(connection, parseSchema(schema)));
    return lines.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await pool.end();
  }
}

const HEAD = `/**
 * What the migrations make, but for the functions, whose text is in functions/: each thing's name, and how it is
 * defined. Written by \`npm run schema:postgres\`.
 */
export const `;

const TYPE = ": readonly (readonly [name: string, form: string])[] = ";

/** The source file. */
export async function schemaFile(server: PostgresServer, written: WrittenSchema): Promise<string> {
  const lines = (await madeLines(server, written)).filter(({ name }) => !name.startsWith("function "));
  const config = await resolveConfig(written.file);
  const forms = JSON.stringify(lines.map(({ name, form }) => [name, form]));
  return format(`${HEAD}${written.constant}${TYPE}${forms};`, { ...config, parser: "typescript" });
}
