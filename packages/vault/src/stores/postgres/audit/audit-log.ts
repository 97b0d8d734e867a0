/**
 * The audit's log in PostgreSQL: in a schema of its own, in any database; better in one that whoever may write to the
 * records may not write to.
 */
import type { AuditLog } from "../../audit-log.ts";
import type { PostgresPool } from "../connection.ts";
import { postgresGate } from "../gate.ts";
import { postgresJobs } from "../jobs.ts";
import { DEFAULT_OPTIONS, Opened } from "../opened.ts";
import type { PostgresStoreOptions } from "../opened.ts";
import { DEFAULT_AUDIT_SCHEMA } from "../schema-name.ts";
import { logReads } from "./read-log.ts";
import { AUDIT_SCHEMA } from "./schema.ts";
import { logChanges } from "./write-log.ts";

/** The options of an audit log that was opened without others. */
export const DEFAULT_POSTGRES_AUDIT_LOG_OPTIONS: PostgresStoreOptions = {
  schema: DEFAULT_AUDIT_SCHEMA,
  ...DEFAULT_OPTIONS,
};

/**
 * Opens the audit's log in the database that the pool leads to; `migratePostgresAudit` has made its schema. The pool is
 * its own: one that a store of records or of keys uses as well is refused, as every read asks the log.
 *
 * @throws VaultError `store-failed` (also when it is not migrated), `store-newer`, `store-altered`,
 *   `vault-option-invalid`
 * @example
 * ```ts
 * import { postgresAuditLog } from "@strongroom/vault/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 5 });
 * const log = await postgresAuditLog(pool, { migrate: true, endPool: true });
 * console.log((await log.state()).size); // prints: 0
 * await log.close();
 * ```
 */
export async function postgresAuditLog(
  pool: PostgresPool,
  options: Partial<PostgresStoreOptions> = {},
): Promise<AuditLog> {
  const opened = await Opened.open(pool, AUDIT_SCHEMA, {
    given: options,
    defaults: DEFAULT_POSTGRES_AUDIT_LOG_OPTIONS,
  });
  const { connections, schema, vault } = opened;
  const context = { ...opened.options, connections, schema, vault };
  return {
    ...opened.watched({ ...logReads(connections, schema, vault), ...logChanges(context) }),
    gate: opened.watched(postgresGate(context)),
    jobs: opened.watched(postgresJobs(connections, schema, vault)),
    requireRoom: () => opened.requireRoom(),
    ping: () => opened.ping(),
    close: () => opened.close(),
  };
}
