/**
 * @strongroom/vault/sqlite: the store in one SQLite file.
 */
export { DEFAULT_SQLITE_STORE_OPTIONS, sqliteStore } from "./sqlite/sqlite-store.ts";
export type { SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
export { inspectDatabase } from "./sqlite/inspect.ts";
export type { InspectedDatabase } from "./sqlite/inspect.ts";
