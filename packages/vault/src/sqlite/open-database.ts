/**
 * Opens the file of a vault: private to its owner, recognised before anything is written to it, durable, migrated.
 */
import { Kysely, Migrator, sql } from "kysely";
import { chmod, open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { VaultError } from "../errors.ts";
import { whileBusy } from "./busy.ts";
import { storeFailure } from "./failures.ts";
import { NodeSqliteDialect } from "./node-sqlite-dialect.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import type { VaultSchema } from "./schema.ts";

export interface OpenDatabaseOptions {
  /** How long an operation waits for another process' write lock, in milliseconds. */
  readonly busyTimeoutMs: number;
  /** Largest size of the database file in bytes, rounded down to whole pages; what would exceed it is `store-full`. */
  readonly maxBytes: number;
}

/** SQLite's own bound (sqlite.org/limits.html). */
const MOST_PAGES = 4_294_967_294;

/** @throws VaultError `store-newer`, `store-full`, `store-failed` */
export async function openDatabase(path: string, options: OpenDatabaseOptions): Promise<Kysely<VaultSchema>> {
  await makePrivate(path);
  try {
    return await whileBusy(options.busyTimeoutMs, () => openOnce(path, options));
  } catch (error) {
    throw storeFailure(error);
  }
}

async function openOnce(path: string, options: OpenDatabaseOptions): Promise<Kysely<VaultSchema>> {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    const found = recognise(database);
    configure(database, options);
    const db = new Kysely<VaultSchema>({ dialect: new NodeSqliteDialect(database) });
    if (found !== "current") await migrate(db);
    return db;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite gives `-wal` and `-shm` the mode of the database file, so it must be right before SQLite first sees it. */
async function makePrivate(path: string): Promise<void> {
  try {
    const file = await open(path, "a", 0o600);
    await file.close();
    await chmod(path, 0o600);
  } catch (error) {
    const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
    throw full
      ? new VaultError("store-full", "The volume that holds the database is full", { cause: error })
      : new VaultError(
          "store-failed",
          "The database file can not be made or opened: check that its folder exists and may be written",
          { cause: error },
        );
  }
}

/**
 * Only reads: a database that is not ours, or is of a newer version, stays as it was; and one that is current can be
 * opened, and read, on a full disk.
 */
function recognise(database: DatabaseSync): "behind" | "current" {
  const applicationId = Number(database.prepare("pragma application_id").get()?.["application_id"]);
  const tables = new Set(
    database
      .prepare("select name from sqlite_schema where type = 'table'")
      .all()
      .map((row) => String(row["name"])),
  );
  if (applicationId !== APPLICATION_ID && (applicationId !== 0 || tables.size > 0)) {
    throw new VaultError("store-failed", "The file is a SQLite database, but not a Strongroom vault");
  }
  if (!tables.has("kysely_migration")) return "behind";
  const applied = database
    .prepare("select name from kysely_migration order by name")
    .all()
    .map((row) => String(row["name"]));
  const unknown = applied.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new VaultError(
      "store-newer",
      `The database was made by a newer version: it has the migration ${unknown.join(", ")}, which this version does not know`,
    );
  }
  return applied.length === Object.keys(MIGRATIONS).length ? "current" : "behind";
}

function configure(database: DatabaseSync, { maxBytes }: OpenDatabaseOptions): void {
  // SQLite answers with the mode that it has, which on some network file systems is another one.
  const mode = database.prepare("pragma journal_mode = wal").get()?.["journal_mode"];
  if (mode !== "wal")
    throw new VaultError("store-failed", "The volume that holds the database does not support write-ahead logging");
  const pageSize = Number(database.prepare("pragma page_size").get()?.["page_size"]);
  database.exec(`
    pragma synchronous = full;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma temp_store = memory;
    pragma max_page_count = ${Math.min(MOST_PAGES, Math.max(1, Math.floor(maxBytes / pageSize)))};
  `);
}

async function migrate(db: Kysely<VaultSchema>): Promise<void> {
  await sql`pragma application_id = ${sql.raw(String(APPLICATION_ID))}`.execute(db);
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error("The migration failed", { cause: error });
  await sql`pragma optimize`.execute(db);
}
