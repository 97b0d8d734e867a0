// Opens the store of an installation, as the configuration says: SQLite in the data folder, or PostgreSQL.
import { existsSync } from "node:fs";
import { isVaultError, type Store, VAULT_ERRORS, wrapsOf } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { sqliteStore } from "@strongroom/vault/sqlite";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import { placeText } from "../config/store-url.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import type { MoveListener, MoveProgress } from "./moving.ts";
import { type PostgresAccess, postgresAccess, storePool } from "./connect.ts";
import { lookAt, unfitness } from "./look.ts";

/** What a store is opened with. */
export interface StoreParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger?: Logger | undefined;
  /** `make`: an empty database gets its schema. `refuse`: that is for `strongroom store migrate`. */
  readonly unprepared?: "make" | "refuse" | undefined;
  /** Hears of the move of an older version's file. */
  readonly moving?: MoveListener | undefined;
}

/** An open store. */
export interface OpenedStore {
  readonly store: Store;
  /** Where the records lie, for a person. */
  readonly description: string;
  /** Closes it, also when its vault has, and what the store's own `close` leaves open. */
  close(): Promise<void>;
}

/**
 * Opens it. Throws `data-dir-newer`, `startup-failed`, and of PostgreSQL what {@link postgresAccess} and
 * {@link lookAt} and {@link unfitness} do.
 */
export async function openStore(parts: StoreParts): Promise<OpenedStore> {
  const access = postgresAccess(parts.config, parts.env);
  return access === null ? openSqlite(parts) : openPostgres(access, parts.unprepared ?? "refuse");
}

async function openSqlite({ folder, logger, moving }: StoreParts): Promise<OpenedStore> {
  if (existsSync(folder.records) && !existsSync(folder.recordsMark))
    logger?.warn("no mark tells whether the database is the newest state of the vault: it is taken as it is");
  const onProgress = (progress: MoveProgress): void => {
    moving?.onProgress(progress);
  };
  try {
    const moveFrom = { path: folder.oldVault, wrapsOf, onProgress };
    const store = await sqliteStore(folder.records, { mark: true, reserve: true, moveFrom }).catch(storeFailed);
    return { store, description: folder.records, close: () => store.close() };
  } finally {
    moving?.end();
  }
}

async function openPostgres(access: PostgresAccess, unprepared: "make" | "refuse"): Promise<OpenedStore> {
  const look = await lookAt(access);
  const problem = unfitness(access, look);
  // Only one that nobody has used yet: others may run on what a migration changes.
  const isMade = problem?.code === "store-unprepared" && unprepared === "make" && look.store.version === null;
  if (problem !== null && !isMade) throw problem;
  const pool = storePool(access);
  try {
    const store = await postgresStore(pool, { schema: access.schema, endPool: true, migrate: isMade });
    return { store, description: `PostgreSQL, ${placeText(access.place)}`, close: () => store.close() };
  } catch (cause) {
    await pool.end();
    return storeFailed(cause);
  }
}

/** What the store said when it was opened, as an error of the command. */
export function storeFailed(cause: unknown): never {
  if (!isVaultError(cause)) throw cause;
  const { title, remedy } = VAULT_ERRORS[cause.code];
  throw new CliError(cause.code === "store-newer" ? "data-dir-newer" : "startup-failed", {
    title,
    detail: cause.message,
    remedy,
    reportedCode: cause.code,
    cause,
  });
}
