/**
 * @strongroom/vault/sqlite: the store in one SQLite file.
 */
export { DEFAULT_SQLITE_STORE_OPTIONS, SQLITE_CAPABILITIES, sqliteStore } from "./stores/sqlite/sqlite-store.ts";
export type { SqliteStoreOptions } from "./stores/sqlite/sqlite-store.ts";
export type { MoveFrom, MoveProgress, OwedMove } from "./stores/sqlite/move.ts";
export { inspectDatabase } from "./stores/sqlite/inspect.ts";
export type { InspectedDatabase, InspectOptions } from "./stores/sqlite/inspect.ts";
