// Opens the stores of an installation, as the configuration says: SQLite in the data folder, or PostgreSQL.
import { existsSync } from "node:fs";
import { type AuditLog, isVaultError, type KeyStore, type Store, VAULT_ERRORS, wrapsOf } from "@strongroom/vault";
import { postgresAuditLog, postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import { placeText } from "../config/store-url.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import type { MoveListener, MoveProgress } from "./moving.ts";
import { type PostgresAccess, postgresAccess, storePool } from "./connect.ts";
import { lookAt, unfitness } from "./look.ts";
import { sqliteFiles, sqliteState } from "./sqlite-state.ts";
import { STORE_ROLES, type StoreRole } from "./which.ts";

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

/** The stores by what is in them. */
interface Stores {
  readonly records: Store;
  readonly keys: KeyStore;
  readonly audit: AuditLog;
}

/** An open store. */
export interface OpenedStore<Role extends StoreRole = "records"> {
  readonly store: Stores[Role];
  /** Where it lies, for a person. */
  readonly description: string;
  /** Closes it, also when its vault has, and what the store's own `close` leaves open. */
  close(): Promise<void>;
}

/** How a store is made open. */
interface Opening<Role extends StoreRole> {
  readonly sqlite: (parts: StoreParts) => Promise<Stores[Role]>;
  /** Without anything being made or moved. */
  readonly read: (path: string) => Promise<Stores[Role]>;
  readonly postgres: (
    pool: ReturnType<typeof storePool>,
    options: { readonly schema: string; readonly endPool: true; readonly migrate: boolean },
  ) => Promise<Stores[Role]>;
}

/** Each keeps a mark, and room for removals. */
const KEPT = { mark: true, reserve: true } as const;

const OPENINGS: { readonly [Role in StoreRole]: Opening<Role> } = {
  records: {
    sqlite: async ({ folder, moving }) => {
      const onProgress = (progress: MoveProgress): void => {
        moving?.onProgress(progress);
      };
      try {
        const moveFrom = { path: folder.oldVault, wrapsOf, onProgress };
        return await sqliteStore(folder.records, { ...KEPT, moveFrom });
      } finally {
        moving?.end();
      }
    },
    read: (path) => sqliteStore(path),
    postgres: postgresStore,
  },
  keys: {
    sqlite: ({ folder }) => sqliteKeyStore(folder.keyStore, KEPT),
    read: (path) => sqliteKeyStore(path),
    postgres: postgresKeyStore,
  },
  audit: {
    sqlite: ({ config }) => sqliteAuditLog(sqliteFiles(config, "audit").path, KEPT),
    read: (path) => sqliteAuditLog(path),
    postgres: postgresAuditLog,
  },
};

/**
 * Opens one. Throws `data-dir-newer`, `startup-failed`, and of PostgreSQL what {@link postgresAccess} and
 * {@link lookAt} and {@link unfitness} do.
 */
export async function openStore<Role extends StoreRole>(parts: StoreParts, role: Role): Promise<OpenedStore<Role>> {
  const access = postgresAccess(parts.config, parts.env, role);
  return access === null ? openSqlite(parts, role) : openPostgres(access, role, parts.unprepared ?? "refuse");
}

/**
 * Opens one for somebody who only looks, also while services run: nothing is made, migrated, moved or marked. Null: it
 * is not one that this version has made, or migrated. Throws what {@link openStore} does.
 */
export async function openToRead<Role extends StoreRole>(
  parts: StoreParts,
  role: Role,
): Promise<OpenedStore<Role> | null> {
  if (postgresAccess(parts.config, parts.env, role) !== null) return openStore(parts, role);
  const { path, state, pending, move } = await sqliteState(parts.config, role);
  if (state !== "sound" || pending.length > 0 || move !== null) return null;
  const store = await OPENINGS[role].read(path).catch((cause: unknown) => storeFailed(cause, path));
  return { store, description: path, close: () => store.close() };
}

async function openSqlite<Role extends StoreRole>(parts: StoreParts, role: Role): Promise<OpenedStore<Role>> {
  const { path, markPath } = sqliteFiles(parts.config, role);
  if (existsSync(path) && !existsSync(markPath))
    parts.logger?.warn(
      { file: STORE_ROLES[role].file },
      "no mark tells whether the database is its newest state: it is taken as it is",
    );
  const store = await OPENINGS[role].sqlite(parts).catch((cause: unknown) => storeFailed(cause, path));
  return { store, description: path, close: () => store.close() };
}

async function openPostgres<Role extends StoreRole>(
  access: PostgresAccess,
  role: Role,
  unprepared: "make" | "refuse",
): Promise<OpenedStore<Role>> {
  const look = await lookAt(access);
  const problem = unfitness(access, look);
  // Only one that nobody has used yet: others may run on what a migration changes.
  const isMade = problem?.code === "store-unprepared" && unprepared === "make" && look.store.version === null;
  if (problem !== null && !isMade) throw problem;
  const pool = storePool(access);
  try {
    const store = await OPENINGS[role].postgres(pool, { schema: access.schema, endPool: true, migrate: isMade });
    const { place, schema } = access;
    return {
      store,
      description: `PostgreSQL, ${placeText(place)}${role === "records" ? "" : `, schema ${schema}`}`,
      close: () => store.close(),
    };
  } catch (cause) {
    await pool.end();
    return storeFailed(cause, placeText(access.place));
  }
}

/** What a store said when it was opened, as an error of the command; `where` it lies, or nothing of both together. */
export function storeFailed(cause: unknown, where?: string): never {
  if (!isVaultError(cause)) throw cause;
  const { title, remedy } = VAULT_ERRORS[cause.code];
  throw new CliError(cause.code === "store-newer" ? "data-dir-newer" : "startup-failed", {
    title,
    detail: where === undefined ? cause.message : `${where}: ${cause.message}`,
    remedy,
    reportedCode: cause.code,
    cause,
  });
}
