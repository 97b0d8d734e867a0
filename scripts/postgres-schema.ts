/**
 * What the migrations of the vault's stores in PostgreSQL make, as the lines that an opened store compares with: made in
 * a real server, written as a source file.
 */
import { migratePostgres, migratePostgresAudit, migratePostgresKeys } from "@strongroom/vault/postgres";
import type { MigratePostgresOptions, PostgresPool } from "@strongroom/vault/postgres";
import { format, resolveConfig } from "prettier";
import pg from "pg";
import { Connections } from "../packages/vault/src/stores/postgres/connection.ts";
import { schemaLines } from "../packages/vault/src/stores/postgres/schema-form.ts";
import type { SchemaLine } from "../packages/vault/src/stores/postgres/schema-form.ts";
import { DEFAULT_SCHEMA, parseSchema } from "../packages/vault/src/stores/postgres/schema-name.ts";
import type { PostgresServer } from "../tests/support/postgres/server.ts";

export const SCHEMA_FILE = new URL("../packages/vault/src/stores/postgres/schema-lines.ts", import.meta.url);

/** What brings a schema to this version. */
export type Migrate = (pool: PostgresPool, options: MigratePostgresOptions) => Promise<readonly string[]>;

/** What a migrated schema of this server holds, in the order of the names. */
export async function madeLines(
  server: PostgresServer,
  migrate: Migrate,
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

`;

/** Which lines a constant has, and what is said of it. */
const constant = (name: string, says: string, lines: readonly SchemaLine[]): string =>
  `/** ${says} */\nexport const ${name}: readonly (readonly [name: string, form: string])[] = ${JSON.stringify(
    lines.map((line) => [line.name, line.form]),
  )};\n\n`;

/** The source file. */
export async function schemaFile(server: PostgresServer): Promise<string> {
  const all = await Promise.all(
    [migratePostgres, migratePostgresKeys, migratePostgresAudit].map((migrate) => madeLines(server, migrate)),
  );
  const [records = [], keys = [], audit = []] = all.map((lines) =>
    lines.filter(({ name }) => !name.startsWith("function ")),
  );
  const isIn = (lines: readonly SchemaLine[], line: SchemaLine): boolean =>
    lines.some(({ name, form }) => name === line.name && form === line.form);
  const ofAll = (line: SchemaLine): boolean => [records, keys, audit].every((lines) => isIn(lines, line));
  const ofStores = (line: SchemaLine): boolean => !ofAll(line) && isIn(records, line) && isIn(keys, line);
  const ofOne = (line: SchemaLine): boolean => !ofAll(line) && !ofStores(line);
  const parts = [
    constant("COMMON_LINES", "Of all.", records.filter(ofAll)),
    constant("STORE_LINES", "Of the records and of the keys.", records.filter(ofStores)),
    constant("RECORD_LINES", "Of the records alone.", records.filter(ofOne)),
    constant("KEY_LINES", "Of the keys alone.", keys.filter(ofOne)),
    constant("AUDIT_LINES", "Of the audit's log alone.", audit.filter(ofOne)),
  ];
  return format(HEAD + parts.join(""), { ...(await resolveConfig(SCHEMA_FILE)), parser: "typescript" });
}
