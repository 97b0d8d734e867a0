/**
 * What the migrations of the vault's PostgreSQL store make, as the lines that an opened store compares with: made in a
 * real server, written as a source file.
 */
import { migratePostgres } from "@strongroom/vault/postgres";
import { format, resolveConfig } from "prettier";
import pg from "pg";
import { Connections } from "../packages/vault/src/stores/postgres/connection.ts";
import { schemaLines } from "../packages/vault/src/stores/postgres/schema-form.ts";
import type { SchemaLine } from "../packages/vault/src/stores/postgres/schema-form.ts";
import { DEFAULT_SCHEMA, parseSchema } from "../packages/vault/src/stores/postgres/schema-name.ts";
import type { PostgresServer } from "../tests/support/postgres/server.ts";

export const SCHEMA_FILE = new URL("../packages/vault/src/stores/postgres/schema-lines.ts", import.meta.url);

/** What a migrated schema of this server holds, in the order of the names. */
export async function madeLines(
  server: PostgresServer,
  schema: string = DEFAULT_SCHEMA,
): Promise<readonly SchemaLine[]> {
  const pool = new pg.Pool({ connectionString: await server.createDatabase() });
  try {
    await migratePostgres(pool, { schema });
    const times = { connectTimeoutMs: 10_000, answerTimeoutMs: 10_000 };
    const connections = new Connections(pool, times, { isNamed: false });
    const lines = await connections.borrow((connection) => schemaLines(connection, parseSchema(schema)));
    return lines.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await pool.end();
  }
}

const HEAD = `/**
 * What the migrations make, but for the functions, whose text is in functions.sql.ts: each thing's name, and how it is
 * defined. Written by \`npm run schema:postgres\`.
 */
export const SCHEMA_LINES: readonly (readonly [name: string, form: string])[] = `;

/** The source file. */
export async function schemaFile(server: PostgresServer): Promise<string> {
  const lines = (await madeLines(server)).filter(({ name }) => !name.startsWith("function "));
  const config = await resolveConfig(SCHEMA_FILE);
  return format(`${HEAD}${JSON.stringify(lines.map(({ name, form }) => [name, form]))};`, {
    ...config,
    parser: "typescript",
  });
}
