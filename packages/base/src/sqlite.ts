/**
 * @strongroom/base/sqlite: files of SQLite under Kysely, without a native addon. A file is private to its owner,
 * recognised before anything is written to it, durable, migrated. What differs between one application's file and
 * another's is data in the options; what went wrong is one word for each thing that a person can do something about, of
 * which packages make their own errors.
 */
import { Kysely, Migrator } from "kysely";
import type { Migration } from "kysely";
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { NodeSqliteDialect } from "./sqlite-dialect.ts";
import { SqliteFileError, sqliteFailure } from "./sqlite-failure.ts";

export { NodeSqliteDialect } from "./sqlite-dialect.ts";
export type { NodeSqliteDialectOptions } from "./sqlite-dialect.ts";
export { SqliteFileError, sqliteFailure } from "./sqlite-failure.ts";
export type { SqliteFailure, SqliteFileErrorCode } from "./sqlite-failure.ts";

/** What an application's file is, and how it is used. */
export interface SqliteFileOptions {
  /** In the file's header (`PRAGMA application_id`): tells the application's files from others. Null: it has none. */
  readonly applicationId: number | null;
  /** Name -> migration, applied in the order of the names, all pending ones in one transaction. Only ever added to. */
  readonly migrations: Readonly<Record<string, Migration>>;
  /**
   * `full`: a commit that has returned is on the disk. `normal`: it is once the caller has flushed the log, which
   * leaves the process free to work meanwhile.
   */
  readonly synchronous: "full" | "normal";
  /** SQLite's own wait for another's lock, in milliseconds. Nothing else in the process runs meanwhile. */
  readonly busyTimeoutMs: number;
  /** How long opening is tried again while another process has the lock, in milliseconds. */
  readonly patienceMs: number;
  /** Largest size of the file in bytes, rounded down to whole pages; what would exceed it is `full`. */
  readonly maxBytes: number;
}

/** What an application's own look at a file is given. */
export interface FoundFile<Schema> {
  readonly db: Kysely<Schema>;
  /** The same connection. */
  readonly database: DatabaseSync;
  /** The migrations that the file has. */
  readonly applied: readonly string[];
}

/** An open file. */
export interface SqliteFile<Schema> {
  /** Closes the file when it is destroyed. */
  readonly db: Kysely<Schema>;
  /** The same connection, for what Kysely has no words for. */
  readonly database: DatabaseSync;
}

/** SQLite's own bound (sqlite.org/limits.html). */
const MOST_PAGES = 4_294_967_294;

/**
 * Opens the file, which is made when absent; its folder must exist. It and the files of its log have mode 0600.
 *
 * @param inspect looks at a file as it was found, before it is migrated, and throws to refuse it
 * @throws what `sqliteFailure` names, and what `inspect` throws
 */
export async function openSqliteFile<Schema>(
  path: string,
  options: SqliteFileOptions,
  inspect: (found: FoundFile<Schema>) => Promise<void> = async () => undefined,
): Promise<SqliteFile<Schema>> {
  makePrivate(path);
  return whileBusy(options.patienceMs, () => openOnce<Schema>(path, options, inspect));
}

/**
 * Opens a file only to read it, as a whole one: SQLite looks at all of it first. Its transactions begin by reading.
 *
 * @throws what `sqliteFailure` names; `corrupt` when SQLite finds damage
 */
export function readSqliteFile<Schema>(path: string): Kysely<Schema> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    if (pragma(database, "integrity_check(1)", "integrity_check") !== "ok")
      throw new SqliteFileError("corrupt", `${path} is damaged`);
    return new Kysely<Schema>({ dialect: new NodeSqliteDialect(database, { transactions: "deferred" }) });
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens one more connection to a file that {@link openSqliteFile} has made what it must be, at once.
 *
 * @throws what `sqliteFailure` names
 */
export function connectSqliteFile(
  path: string,
  options: Pick<SqliteFileOptions, "synchronous" | "busyTimeoutMs" | "maxBytes">,
): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: options.busyTimeoutMs });
  try {
    configure(database, options);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

async function openOnce<Schema>(
  path: string,
  options: SqliteFileOptions,
  inspect: (found: FoundFile<Schema>) => Promise<void>,
): Promise<SqliteFile<Schema>> {
  const database = new DatabaseSync(path, { timeout: options.busyTimeoutMs });
  try {
    recognise(database, options);
    configure(database, options);
    const db = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database) });
    // One snapshot: another process may be migrating the file.
    database.exec("begin");
    const applied = recognise(database, options);
    await inspect({ db, database, applied });
    database.exec("commit");
    if (applied.length < Object.keys(options.migrations).length) await migrate(database, db, options);
    return { db, database };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * SQLite gives `-wal` and `-shm` the mode of the database file, so it must be right before SQLite first sees it. Files
 * that are there are changed by their names: to open one beside SQLite and close it again would drop the locks that
 * this process has on it.
 */
function makePrivate(path: string): void {
  // Through a link that leads to nothing as well: SQLite would make what it names open to all.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) closeSync(openSync(path, "a", 0o600));
  for (const name of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(name, { throwIfNoEntry: false });
    // Closed to others, and not opened to its owner: who made it read-only meant it.
    if (found?.isFile() === true && (found.mode & 0o077) !== 0) chmodSync(name, found.mode & 0o700);
  }
}

/**
 * The migrations that the file has. Only reads: a database that is not ours, or is of a newer version, stays as it was;
 * and one that is current can be opened, and read, on a full disk.
 */
function recognise(
  database: DatabaseSync,
  { applicationId, migrations }: Pick<SqliteFileOptions, "applicationId" | "migrations">,
): readonly string[] {
  const tables = names(database, "select name from sqlite_schema where type in ('table', 'view')");
  const migrated = tables.includes("kysely_migration");
  const id = Number(pragma(database, "application_id", "application_id"));
  const ours = applicationId === null ? migrated : id === applicationId;
  const empty = tables.length === 0 && (applicationId === null || id === 0);
  if (!ours && !empty) throw new SqliteFileError("foreign", "it is a database of something else");
  if (!migrated) return [];
  const applied = names(database, "select name from kysely_migration order by name");
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) throw new SqliteFileError("newer", `it has the migration ${unknown.join(", ")}`);
  return applied;
}

function configure(
  database: DatabaseSync,
  { synchronous, maxBytes }: Pick<SqliteFileOptions, "synchronous" | "maxBytes">,
): void {
  // SQLite answers with the mode that it has, which on some network file systems is another one.
  if (pragma(database, "journal_mode = wal", "journal_mode") !== "wal")
    throw new SqliteFileError("no-wal", "the volume does not support write-ahead logging");
  const pageSize = Number(pragma(database, "page_size", "page_size"));
  database.exec(`
    pragma synchronous = ${synchronous};
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma temp_store = memory;
    pragma max_page_count = ${Math.min(MOST_PAGES, Math.max(1, Math.floor(maxBytes / pageSize)))};
  `);
}

async function migrate<Schema>(
  database: DatabaseSync,
  db: Kysely<Schema>,
  { applicationId, migrations }: SqliteFileOptions,
): Promise<void> {
  if (applicationId !== null) database.exec(`pragma application_id = ${applicationId}`);
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error("the migration failed", { cause: error });
  database.exec("pragma optimize");
}

/** Runs a pragma and gives the value that it answers with. */
function pragma(database: DatabaseSync, statement: string, column: string): unknown {
  return database.prepare(`pragma ${statement}`).get()?.[column];
}

function names(database: DatabaseSync, query: string): readonly string[] {
  return database
    .prepare(query)
    .all()
    .map((row) => String(row["name"]));
}

/** Longest pause between two tries, in milliseconds. Random, so that two waiting processes do not keep meeting. */
const PAUSE_MS = 5;

/**
 * Runs `work` again while the database is busy, for at most `patienceMs`, without stopping the process: SQLite's own
 * busy timeout sleeps on the thread that answers everyone else. Whatever `work` did before it met the other writer must
 * have been rolled back.
 */
export async function whileBusy<Result>(patienceMs: number, work: () => Promise<Result>): Promise<Result> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (sqliteFailure(error) !== "busy" || performance.now() >= until) throw error;
      await delay(Math.random() * PAUSE_MS);
    }
  }
}
