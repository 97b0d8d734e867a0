/**
 * Opens the file of a vault: private to its owner, recognised before anything is written to it, durable, migrated.
 */
import { Kysely, Migrator, sql } from "kysely";
import { chmod, open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../errors.ts";
import { isBusy, storeFailure } from "./failures.ts";
import { NodeSqliteDialect } from "./node-sqlite-dialect.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import type { VaultSchema } from "./schema.ts";

export interface OpenDatabaseOptions {
  /** How long a statement waits for another process' write lock, in milliseconds. */
  readonly busyTimeoutMs: number;
}

const OPEN_ATTEMPTS = 20;
const OPEN_RETRY_MS = 50;

/** @throws VaultError `store-newer`, `store-full`, `store-failed` */
export async function openDatabase(path: string, options: OpenDatabaseOptions): Promise<Kysely<VaultSchema>> {
  await makePrivate(path);
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: options.busyTimeoutMs });
    recognise(database);
    await configure(database);
    const db = new Kysely<VaultSchema>({ dialect: new NodeSqliteDialect(database) });
    await migrate(db);
    return db;
  } catch (error) {
    if (database?.isOpen === true) database.close();
    throw storeFailure(error);
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
      : new VaultError("store-failed", "The database file can not be made or opened: check that its folder exists and may be written", { cause: error });
  }
}

/** Only reads: a database that is not ours, or is of a newer version, stays as it was. */
function recognise(database: DatabaseSync): void {
  const applicationId = Number(database.prepare("pragma application_id").get()?.["application_id"]);
  const tables = new Set(database.prepare("select name from sqlite_schema where type = 'table'").all().map((row) => String(row["name"])));
  if (applicationId !== APPLICATION_ID && (applicationId !== 0 || tables.size > 0)) {
    throw new VaultError("store-failed", "The file is a SQLite database, but not a Strongroom vault");
  }
  if (!tables.has("kysely_migration")) return;
  const unknown = database
    .prepare("select name from kysely_migration order by name")
    .all()
    .map((row) => String(row["name"]))
    .filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new VaultError("store-newer", `The database was made by a newer version: it has the migration ${unknown.join(", ")}, which this version does not know`);
  }
}

/** Each is checked to have taken effect where SQLite may answer with another value than asked for. */
async function configure(database: DatabaseSync): Promise<void> {
  // Changing the journal mode needs the file alone; SQLite does not wait for that by itself when two processes start at once.
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = database.prepare("pragma journal_mode = wal").get()?.["journal_mode"];
      if (mode !== "wal") throw new VaultError("store-failed", "The volume that holds the database does not support write-ahead logging");
      break;
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw error;
      await delay(OPEN_RETRY_MS);
    }
  }
  database.exec(`
    pragma application_id = ${APPLICATION_ID};
    pragma synchronous = full;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma temp_store = memory;
  `);
}

async function migrate(db: Kysely<VaultSchema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error("The migration failed", { cause: error });
  await sql`pragma optimize`.execute(db);
}
