/**
 * @strongroom/vault/postgres: the stores of records and of keys, and the audit's log, in PostgreSQL databases, which
 * many processes share.
 */
export { DEFAULT_POSTGRES_STORE_OPTIONS, postgresStore } from "./stores/postgres/postgres-store.ts";
export { DEFAULT_POSTGRES_KEY_STORE_OPTIONS, postgresKeyStore } from "./stores/postgres/keys/key-store.ts";
export { DEFAULT_POSTGRES_AUDIT_LOG_OPTIONS, postgresAuditLog } from "./stores/postgres/audit/audit-log.ts";
export type { PostgresStoreOptions } from "./stores/postgres/opened.ts";
export { migratePostgres, migratePostgresAudit, migratePostgresKeys } from "./stores/postgres/migrate.ts";
export type { MigratePostgresOptions } from "./stores/postgres/migrate.ts";
export { inspectPostgres, inspectPostgresAudit, inspectPostgresKeys } from "./stores/postgres/inspect.ts";
export type { InspectedPostgres } from "./stores/postgres/inspect.ts";
export type {
  PostgresClient,
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  PostgresResult,
} from "./stores/postgres/connection.ts";
