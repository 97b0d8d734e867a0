/**
 * @strongroom/base/sqlite: files of SQLite under Kysely, without a native addon.
 */
export { NodeSqliteDialect } from "./dialect.ts";
export type { NodeSqliteDialectOptions } from "./dialect.ts";
export { SqliteFileError, sqliteFailure, whileBusy } from "./failures.ts";
export type { SqliteFailure, SqliteFileErrorCode } from "./failures.ts";
export { openSqliteFile, readSqliteFile } from "./open.ts";
export type { SqliteFile, SqliteFileOptions } from "./open.ts";
