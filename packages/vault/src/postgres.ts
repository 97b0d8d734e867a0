/**
 * @strongroom/vault/postgres: the store in a PostgreSQL database, which many processes share.
 */
export { DEFAULT_POSTGRES_STORE_OPTIONS, postgresStore } from "./stores/postgres/postgres-store.ts";
export type { PostgresStoreOptions } from "./stores/postgres/postgres-store.ts";
export { migratePostgres } from "./stores/postgres/migrate.ts";
export type { MigratePostgresOptions } from "./stores/postgres/migrate.ts";
export { inspectPostgres } from "./stores/postgres/inspect.ts";
export type { InspectedPostgres } from "./stores/postgres/inspect.ts";
export type {
  PostgresClient,
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  PostgresResult,
} from "./stores/postgres/connection.ts";
