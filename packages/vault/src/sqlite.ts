/**
 * @strongroom/vault/sqlite: the store in one SQLite file, the key store in another one, and the audit's log in a third.
 */
export { DEFAULT_SQLITE_STORE_OPTIONS, SQLITE_CAPABILITIES, sqliteStore } from "./stores/sqlite/sqlite-store.ts";
export type { SqliteStoreOptions } from "./stores/sqlite/sqlite-store.ts";
export { DEFAULT_SQLITE_KEY_STORE_OPTIONS, sqliteKeyStore } from "./stores/sqlite/sqlite-key-store.ts";
export type { SqliteKeyStoreOptions } from "./stores/sqlite/sqlite-key-store.ts";
export { DEFAULT_SQLITE_AUDIT_LOG_OPTIONS, sqliteAuditLog } from "./stores/sqlite/sqlite-audit-log.ts";
export type { SqliteAuditLogOptions } from "./stores/sqlite/sqlite-audit-log.ts";
export type { MoveFrom, MoveProgress, OwedMove } from "./stores/sqlite/move.ts";
export { inspectDatabase } from "./stores/sqlite/inspect.ts";
export type { InspectedDatabase, InspectOptions } from "./stores/sqlite/inspect.ts";
export type { FileKind } from "./stores/sqlite/store-file.ts";
