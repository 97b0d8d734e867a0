/**
 * @strongroom/vault/sqlite: the store in one SQLite file.
 */
export { DEFAULT_SQLITE_STORE_OPTIONS, SQLITE_CAPABILITIES, sqliteStore } from "./stores/sqlite/sqlite-store.ts";
export type { SqliteStoreOptions } from "./stores/sqlite/sqlite-store.ts";
