/**
 * What a database is, without changing it: how far it is migrated, what its schema differs in, and what of the server
 * and the way to it bears on a vault. Nothing is counted: sizes are the server's estimates.
 */
import { shown } from "@strongroom/base/shown";
import { VaultError } from "../../errors.ts";
import { STORE_READER } from "../gate.ts";
import type { GateState } from "../gate.ts";
import { isTrue, text, whole } from "./columns.ts";
import { Connections, statement } from "./connection.ts";
import type { Connection, PostgresPool } from "./connection.ts";
import { gateState, gateStatement } from "./gate.ts";
import { appliedMigrations, concurrentIndexes, requireSameKind, requireServer } from "./migrate.ts";
import { schemaDifferences, schemaLines } from "./schema-form.ts";
import { newerStore } from "./refusals.ts";
import { AUDIT_SCHEMA } from "./audit/schema.ts";
import { KEY_SCHEMA } from "./keys/schema.ts";
import { RECORD_SCHEMA } from "./schema.ts";
import { DEFAULT_AUDIT_SCHEMA, DEFAULT_KEY_SCHEMA, DEFAULT_SCHEMA, parseSchema } from "./schema-name.ts";
import type { StoreSchema } from "./migration.ts";
import type { SchemaName } from "./schema-name.ts";

/** A database as it was found: what it is for one kind of store. */
export interface InspectedPostgres {
  /** How many migrations it has; null: no such store in this schema. */
  readonly version: number | null;
  /** How many this version makes. */
  readonly latest: number;
  /** Names of the migrations and indexes that it lacks. */
  readonly pending: readonly string[];
  /** Names of the migrations that only a newer version knows, cut and escaped. */
  readonly newer: readonly string[];
  /** Null: absent, or damaged. */
  readonly gate: GateState | null;
  /** What differs from the schema that the migrations make, a line each, cut and escaped. */
  readonly differences: readonly string[];
  /** Rows and bytes as the server estimates them; -1 rows: it has not looked yet. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly bytes: number }[];
  /** As the server calls itself, cut and escaped. */
  readonly server: string;
  /** Whether connections go through a pooler, which may give each transaction another session. */
  readonly pooler: boolean;
  /** Whether a store that decides by itself keeps statements prepared. */
  readonly namedStatements: boolean;
  /** Whether a commit waits for a standby. */
  readonly synchronousReplication: boolean;
  /** `fsync`, `full_page_writes` and `synchronous_commit`, where they are not what durability wants. */
  readonly unsafe: readonly string[];
  /** Whether the server's end of the connection is encrypted: a pooler's, where there is one. */
  readonly tls: boolean;
}

/**
 * Looks at a database. Changes nothing, and needs no vault in it.
 *
 * @throws VaultError `store-failed`, `vault-option-invalid`
 * @example
 * ```ts
 * import { inspectPostgres } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const { version, pending, pooler } = await inspectPostgres(pool, { schema: "nothing_yet" });
 * console.log(version, pending.length, pooler); // prints: null 5 false
 * await pool.end();
 * ```
 */
export async function inspectPostgres(
  pool: PostgresPool,
  { schema = DEFAULT_SCHEMA }: { readonly schema?: string } = {},
): Promise<InspectedPostgres> {
  return inspectSchema(pool, RECORD_SCHEMA, schema);
}

/**
 * As {@link inspectPostgres}, of a key store.
 *
 * @throws VaultError as that
 * @example
 * ```ts
 * import { inspectPostgresKeys } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const { version, pending } = await inspectPostgresKeys(pool, { schema: "nothing_yet" });
 * console.log(version, pending); // prints: null [ '0001-keys', '0002-audit', '0003-moves' ]
 * await pool.end();
 * ```
 */
export async function inspectPostgresKeys(
  pool: PostgresPool,
  { schema = DEFAULT_KEY_SCHEMA }: { readonly schema?: string } = {},
): Promise<InspectedPostgres> {
  return inspectSchema(pool, KEY_SCHEMA, schema);
}

/**
 * As {@link inspectPostgres}, of an audit log.
 *
 * @throws VaultError as that
 * @example
 * ```ts
 * import { inspectPostgresAudit } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const { version, pending } = await inspectPostgresAudit(pool, { schema: "nothing_yet" });
 * console.log(version, pending); // prints: null [ '0001-log' ]
 * await pool.end();
 * ```
 */
export async function inspectPostgresAudit(
  pool: PostgresPool,
  { schema = DEFAULT_AUDIT_SCHEMA }: { readonly schema?: string } = {},
): Promise<InspectedPostgres> {
  return inspectSchema(pool, AUDIT_SCHEMA, schema);
}

async function inspectSchema(pool: PostgresPool, of: StoreSchema, name: string): Promise<InspectedPostgres> {
  const { migrations } = of;
  const schema = parseSchema(name);
  const connections = new Connections(pool, { connectTimeoutMs: 10_000, answerTimeoutMs: 30_000 }, { isNamed: false });
  return connections.transaction(30_000, async (connection) => {
    const applied = await appliedMigrations(connection, schema);
    const server = await inspectServer(connection);
    const pooler = await isPooled(connection);
    const rest = { ...server, pooler, namedStatements: !pooler, latest: migrations.length };
    if (applied === null)
      return {
        ...rest,
        version: null,
        pending: [...migrations.map((one) => one.name), ...concurrentIndexes(migrations).map((one) => `index ${one}`)],
        newer: [],
        gate: null,
        differences: [],
        tables: [],
      };
    const form = await inspectForm(connection, { of, schema, applied });
    const sizes = await tables(connection, schema);
    // The last: where there is no such table, nothing more is answered in this transaction.
    const rows = await connection.query(gateStatement(schema), [], { isNamed: false }).catch(() => []);
    return { ...rest, ...form, version: applied.length, gate: gateOrNull(rows[0]), tables: sizes };
  });
}

/** How the schema compares with these migrations. */
async function inspectForm(
  connection: Connection,
  {
    of,
    schema,
    applied,
  }: { readonly of: StoreSchema; readonly schema: SchemaName; readonly applied: readonly string[] },
): Promise<Pick<InspectedPostgres, "pending" | "newer" | "differences">> {
  const { migrations } = of;
  const pending = migrations.map(({ name }) => name).filter((name) => !applied.includes(name));
  const newer = applied.filter((name) => !migrations.some((known) => known.name === name));
  const lines = await schemaLines(connection, schema);
  const forms = new Map(lines.map(({ name, form }) => [name, form]));
  const unmade = concurrentIndexes(migrations).filter(
    (name) => forms.get(`index ${name}`)?.endsWith("(invalid)") ?? true,
  );
  return {
    pending: [...pending, ...unmade.map((name) => `index ${name}`)],
    newer: newer.map(shown),
    // Of a database that is on its way only its end is known.
    differences:
      pending.length > 0
        ? []
        : schemaDifferences(lines, { of, schema, isNewer: newer.length > 0, pendingIndexes: unmade }),
  };
}

/**
 * Checks a database before it is used.
 *
 * @returns the gate
 * @throws VaultError `store-failed` when it is not migrated, `store-newer`, `store-altered`
 */
export async function requireStore(connection: Connection, of: StoreSchema, schema: SchemaName): Promise<GateState> {
  await requireServer(connection);
  const applied = await appliedMigrations(connection, schema);
  if (applied === null) throw notMigrated(`The database has no ${of.what} in this schema`);
  requireSameKind(applied, of.migrations);
  const { pending, differences } = await inspectForm(connection, { of, schema, applied });
  const missing = pending.filter((name) => !name.startsWith("index "));
  if (missing.length > 0) throw notMigrated(`The database lacks the migrations ${missing.join(", ")}`);
  const [row] = await connection.query(gateStatement(schema), [], { isNamed: false });
  const gate = gateState(row);
  // Before its form is compared: of what this version cannot follow it cannot tell what was altered.
  if (gate.minReader > STORE_READER) throw newerStore();
  if (differences.length > 0)
    throw new VaultError(
      "store-altered",
      `The schema is not the one that this version makes: ${differences.join("; ")}`,
    );
  return gate;
}

const notMigrated = (what: string): VaultError =>
  new VaultError("store-failed", `${what}: run \`strongroom store migrate\`, or migratePostgres`);

function gateOrNull(row: Readonly<Record<string, unknown>> | undefined): GateState | null {
  try {
    return gateState(row);
  } catch {
    return null;
  }
}

/**
 * Whether a pooler stands between: the process that was named when the connection was made is not the one that answers.
 * PgBouncer and its like name one of their own, as they must, to find a client's session when it cancels. Where the
 * driver does not tell, a pooler is assumed: statements that are not prepared work everywhere.
 */
export async function isPooled(connection: Connection): Promise<boolean> {
  const [row] = await connection.query(statement("select pg_backend_pid() as pid"), [], { isNamed: false });
  return connection.processId === null || whole(row?.["pid"]) !== connection.processId;
}

async function inspectServer(
  connection: Connection,
): Promise<Pick<InspectedPostgres, "server" | "synchronousReplication" | "unsafe" | "tls">> {
  const [row] = await connection.query(
    statement(`
      select current_setting('server_version') as version, current_setting('synchronous_commit') as synchronous_commit,
        current_setting('synchronous_standby_names') as standbys, current_setting('fsync') as fsync,
        current_setting('full_page_writes') as full_page_writes,
        (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as tls`),
    [],
    { isNamed: false },
  );
  const commit = text(row?.["synchronous_commit"]) ?? "";
  return {
    server: `PostgreSQL ${shown(text(row?.["version"]) ?? "")}`,
    synchronousReplication: (text(row?.["standbys"]) ?? "") !== "" && !["off", "local"].includes(commit),
    unsafe: ["fsync", "full_page_writes", "synchronous_commit"].filter((name) => row?.[name] === "off"),
    tls: isTrue(row?.["tls"]),
  };
}

async function tables(connection: Connection, schema: SchemaName): Promise<InspectedPostgres["tables"]> {
  const rows = await connection.query(
    statement(`
      select c.relname as name, c.reltuples::bigint as rows, pg_total_relation_size(c.oid) as bytes
      from pg_class c where c.relnamespace = to_regnamespace('${schema}') and c.relkind = 'r' order by c.relname`),
    [],
    { isNamed: false },
  );
  return rows.map((row) => ({
    table: shown(text(row["name"]) ?? ""),
    rows: whole(row["rows"], -1) ?? -1,
    bytes: whole(row["bytes"], 0) ?? 0,
  }));
}
