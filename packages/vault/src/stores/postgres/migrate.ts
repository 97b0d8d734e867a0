/**
 * Brings a database to this version. All pending steps are one transaction under an advisory lock that ends with it, so
 * that a pooler cannot strand it (Kysely's own migrator takes a session's lock); indexes on tables that are in use are
 * made afterwards, beside running writers.
 */
import { ruledOptions } from "@strongroom/base/options";
import { shown } from "@strongroom/base/shown";
import { randomUUID } from "node:crypto";
import { VaultError } from "../../errors.ts";
import { isTrue, text, whole } from "./columns.ts";
import { Connections, statement } from "./connection.ts";
import type { Connection, PostgresPool } from "./connection.ts";
import type { ConcurrentIndex, PostgresMigration } from "./migration.ts";
import { AUDIT_SCHEMA } from "./audit/schema.ts";
import { KEY_SCHEMA } from "./keys/schema.ts";
import { RECORD_SCHEMA } from "./schema.ts";
import { DEFAULT_AUDIT_SCHEMA, DEFAULT_KEY_SCHEMA, DEFAULT_SCHEMA, parseSchema } from "./schema-name.ts";
import type { SchemaName } from "./schema-name.ts";

/** How a database is migrated. */
export interface MigratePostgresOptions {
  /** Left out: `strongroom`, of keys `strongroom_keys`, of an audit log `strongroom_audit`. */
  readonly schema?: string;
  /** A role that is given what a store needs of this schema, and nothing else. It must be there. */
  readonly grantTo?: string;
  /** How long other transactions are waited for, in milliseconds. Left out: 10,000. */
  readonly lockTimeoutMs?: number;
  /** Told of each step when it is made, but for those in the transaction: when that is committed. */
  readonly onStep?: (name: string) => void;
  /** Stops before the next step. */
  readonly signal?: AbortSignal;
}

const RULES = {
  schema: [(value: unknown) => typeof value === "string", "a schema's name"],
  grantTo: [(value: unknown) => typeof value === "string" && /^[^\0]{1,63}$/.test(value), "a role's name"],
  lockTimeoutMs: [(value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1, "milliseconds from 1"],
  onStep: [(value: unknown) => typeof value === "function", "a function"],
  signal: [(value: unknown) => value instanceof AbortSignal, "an AbortSignal"],
} as const;

/** Making an index takes as long as it takes. */
const TIMES = { connectTimeoutMs: 10_000, answerTimeoutMs: 24 * 60 * 60 * 1000 };

/**
 * Makes what is pending, and resolves with the names of what was made; empty when nothing was. Several at once wait for
 * each other.
 *
 * @throws VaultError `store-newer`, `store-failed`, `store-full`, `vault-option-invalid`, `aborted`
 * @example
 * ```ts
 * import { migratePostgres } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const steps = await migratePostgres(pool, { schema: "people" });
 * console.log(steps[0]); // prints: 0001-records
 * await pool.end();
 * ```
 */
export async function migratePostgres(
  pool: PostgresPool,
  options: MigratePostgresOptions = {},
): Promise<readonly string[]> {
  return migrateWith(RECORD_SCHEMA.migrations, pool, options);
}

/**
 * As {@link migratePostgres}, of a key store.
 *
 * @throws VaultError as that
 * @example
 * ```ts
 * import { migratePostgresKeys } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const steps = await migratePostgresKeys(pool, { schema: "people_keys" });
 * console.log(steps[0]); // prints: 0001-keys
 * await pool.end();
 * ```
 */
export async function migratePostgresKeys(
  pool: PostgresPool,
  options: MigratePostgresOptions = {},
): Promise<readonly string[]> {
  return migrateWith(KEY_SCHEMA.migrations, pool, { schema: DEFAULT_KEY_SCHEMA, ...options });
}

/**
 * As {@link migratePostgres}, of an audit log.
 *
 * @throws VaultError as that
 * @example
 * ```ts
 * import { migratePostgresAudit } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const steps = await migratePostgresAudit(pool, { schema: "people_audit" });
 * console.log(steps[0]); // prints: 0001-log
 * await pool.end();
 * ```
 */
export async function migratePostgresAudit(
  pool: PostgresPool,
  options: MigratePostgresOptions = {},
): Promise<readonly string[]> {
  return migrateWith(AUDIT_SCHEMA.migrations, pool, { schema: DEFAULT_AUDIT_SCHEMA, ...options });
}

/** As {@link migratePostgres}, with the migrations of whatever store and version. */
export async function migrateWith(
  migrations: readonly PostgresMigration[],
  pool: PostgresPool,
  options: MigratePostgresOptions = {},
): Promise<readonly string[]> {
  const { values, problems } = ruledOptions(options, RULES, { what: "the options of a migration", needed: [] });
  if (problems.length > 0) throw new VaultError("vault-option-invalid", problems.join("; "));
  const { lockTimeoutMs = 10_000, grantTo, onStep, signal, ...given } = values as MigratePostgresOptions;
  const schema = parseSchema(given.schema ?? DEFAULT_SCHEMA);
  const connections = new Connections(pool, TIMES, { isNamed: false });
  requireNotAborted(signal);
  const made = await connections.transaction(lockTimeoutMs, async (connection) => {
    await connection.query(lockStatement(schema), [], UNNAMED);
    await requireServer(connection);
    if (grantTo !== undefined) await requireRole(connection, grantTo);
    const pending = await applyPending(connection, schema, migrations);
    if (grantTo !== undefined) await run(connection, grants(schema, grantTo).join(";\n"));
    return pending;
  });
  for (const name of made) onStep?.(name);
  const indexes = migrations.flatMap((migration) => migration.indexes ?? []);
  const built: string[] = [];
  for (const index of indexes) {
    requireNotAborted(signal);
    if (!(await buildIndex(connections, { schema, lockTimeoutMs }, index))) continue;
    built.push(`index ${index.name}`);
    onStep?.(`index ${index.name}`);
  }
  return [...made, ...built];
}

const UNNAMED = { isNamed: false } as const;

const run = (connection: Connection, sql: string): Promise<unknown> => connection.query(statement(sql), [], UNNAMED);

function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; what was made before stays");
}

const lockStatement = (schema: SchemaName) =>
  statement(
    `select pg_advisory_xact_lock(hashtextextended('strongroom/migrate/${schema.slice(1, -1)}' collate "C", 0))`,
  );

/** The oldest server whose functions are all there. */
const OLDEST_SERVER = 140_000;

/** @throws VaultError `store-failed` */
export async function requireServer(connection: Connection): Promise<void> {
  const [row] = await connection.query(
    statement(`
      select pg_is_in_recovery() as standby, current_setting('server_encoding') as encoding,
        current_setting('server_version_num') as version`),
    [],
    UNNAMED,
  );
  if (isTrue(row?.["standby"]))
    throw new VaultError("store-failed", "The server is a standby, whose rows may be old: connect to the primary");
  if (row?.["encoding"] !== "UTF8") throw new VaultError("store-failed", "The database's encoding must be UTF8");
  if ((whole(row["version"]) ?? 0) < OLDEST_SERVER)
    throw new VaultError("store-failed", "The server must be PostgreSQL 14 or later");
}

/** Names of the migrations that a database has; null when it has no vault in this schema. */
export async function appliedMigrations(connection: Connection, schema: SchemaName): Promise<readonly string[] | null> {
  const [found] = await connection.query(
    statement(`select to_regclass('${schema}.migrations') is not null as there`),
    [],
    UNNAMED,
  );
  if (!isTrue(found?.["there"])) return null;
  const rows = await connection.query(statement(`select name from ${schema}.migrations order by name`), [], UNNAMED);
  return rows.map((row) => text(row["name"]) ?? "");
}

async function applyPending(
  connection: Connection,
  schema: SchemaName,
  migrations: readonly PostgresMigration[],
): Promise<readonly string[]> {
  const applied = (await appliedMigrations(connection, schema)) ?? (await beginSchema(connection, schema));
  requireSameKind(applied, migrations);
  const unknown = applied.filter((name) => !migrations.some((known) => known.name === name));
  if (unknown.length > 0)
    throw new VaultError("store-newer", "The database was migrated by a newer version; nothing in it was changed");
  const pending = migrations.filter(({ name }) => !applied.includes(name));
  if (pending.length === 0) return [];
  for (const { name, up } of pending) {
    await run(connection, up(schema).join(";\n"));
    await connection.query(
      statement(`insert into ${schema}.migrations (name, at) values ($1, clock_timestamp())`),
      [name],
      UNNAMED,
    );
  }
  const most = (of: "minReader" | "minWriter"): number =>
    migrations.reduce((highest, one) => Math.max(highest, one[of] ?? 1), 1);
  await connection.query(
    statement(`
      insert into ${schema}.vault (one, id, epoch, drained, version, min_reader, min_writer)
      values (1, $1, 0, 0, $2::integer, $3::integer, $4::integer)
      on conflict (one) do update set version = greatest(vault.version, excluded.version),
        min_reader = greatest(vault.min_reader, excluded.min_reader),
        min_writer = greatest(vault.min_writer, excluded.min_writer)`),
    [randomUUID(), migrations.length, most("minReader"), most("minWriter")],
    UNNAMED,
  );
  return pending.map(({ name }) => name);
}

/** @throws VaultError `store-failed` when the migrations that were made are those of another kind of store */
export function requireSameKind(applied: readonly string[], migrations: readonly PostgresMigration[]): void {
  const isKnown = applied.some((name) => migrations.some((known) => known.name === name));
  if (applied.length > 0 && !isKnown)
    throw new VaultError(
      "store-failed",
      "The schema holds a store of another kind: records, keys and the audit log each have their own",
    );
}

/** Makes the schema, which must be empty when it is there. */
async function beginSchema(connection: Connection, schema: SchemaName): Promise<readonly string[]> {
  const name = schema.slice(1, -1);
  const [found] = await connection.query(
    statement(`
      select to_regnamespace('${schema}') is not null as there, exists (
        select from pg_class c where c.relnamespace = to_regnamespace('${schema}')
        union all select from pg_proc p where p.pronamespace = to_regnamespace('${schema}')) as used`),
    [],
    UNNAMED,
  );
  if (isTrue(found?.["used"]))
    throw new VaultError("store-failed", `The schema ${name} holds something else: give the store one of its own`);
  if (!isTrue(found?.["there"])) await run(connection, `create schema ${schema}`);
  await run(
    connection,
    `create table ${schema}.migrations (
      name text collate "C" not null constraint migrations_pkey primary key,
      at timestamptz not null
    )`,
  );
  return [];
}

/** @throws VaultError `store-failed` */
async function requireRole(connection: Connection, role: string): Promise<void> {
  const [found] = await connection.query(
    statement("select exists (select from pg_roles where rolname = $1) as there"),
    [role],
    UNNAMED,
  );
  if (isTrue(found?.["there"])) return;
  throw new VaultError("store-failed", `There is no role ${shown(role)}: make it on the server, or correct its name`);
}

/** What a store uses. Rights on what a later migration makes are given with that migration's run. */
function grants(schema: SchemaName, role: string): readonly string[] {
  const name = `"${role.replaceAll('"', '""')}"`;
  return [
    `revoke all on all functions in schema ${schema} from public`,
    `grant usage on schema ${schema} to ${name}`,
    `grant select, insert, update, delete on all tables in schema ${schema} to ${name}`,
    `revoke insert, update, delete on ${schema}.migrations from ${name}`,
    `revoke insert, update, delete on ${schema}.vault from ${name}`,
    `grant update (epoch, digest, drained, peer) on ${schema}.vault to ${name}`,
    `grant execute on all functions in schema ${schema} to ${name}`,
  ];
}

/** False: it is there. One that another run left half made is made again. */
async function buildIndex(
  connections: Connections,
  { schema, lockTimeoutMs }: { readonly schema: SchemaName; readonly lockTimeoutMs: number },
  { name, on }: ConcurrentIndex,
): Promise<boolean> {
  // This transaction holds a lock and no snapshot, for which the making of an index would wait.
  return connections.transaction(lockTimeoutMs, async (holder) => {
    await run(holder, "set local idle_in_transaction_session_timeout = 0");
    await holder.query(lockStatement(schema), [], UNNAMED);
    return connections.borrow(async (connection) => {
      const [found] = await connection.query(
        statement(
          `select x.indisvalid as valid from pg_index x where x.indexrelid = to_regclass('${schema}."${name}"')`,
        ),
        [],
        UNNAMED,
      );
      if (isTrue(found?.["valid"])) return false;
      if (found !== undefined) await run(connection, `drop index concurrently ${schema}."${name}"`);
      await run(connection, `create index concurrently "${name}" ${on(schema)}`);
      return true;
    });
  });
}

/** Which indexes of these migrations are made beside running writers. */
export const concurrentIndexes = (migrations: readonly PostgresMigration[]): readonly string[] =>
  migrations.flatMap(({ indexes }) => indexes ?? []).map(({ name }) => name);
