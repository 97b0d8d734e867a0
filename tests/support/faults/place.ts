/**
 * Where a store is, as it is told to a process of a test's own.
 */
import type { Store } from "@strongroom/vault";
import { postgresStore } from "@strongroom/vault/postgres";
import { sqliteStore } from "@strongroom/vault/sqlite";
import pg from "pg";

/** A file, or a database with how many connections a process takes at most. */
export type Place =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string; readonly connections: number };

/** Opens the store that is there. Closing it ends its connections. */
export async function openPlace(place: Place): Promise<Store> {
  if (place.kind === "sqlite") return sqliteStore(place.path);
  return postgresStore(poolOf(place), { endPool: true });
}

/** Makes the store's tables where it takes a step of its own. */
export async function preparePlace(place: Place): Promise<void> {
  if (place.kind === "sqlite") return;
  const store = await postgresStore(poolOf(place), { migrate: true, endPool: true });
  await store.close();
}

/** Connections to the database, which may break at any time. */
export function poolOf({ url, connections }: Extract<Place, { readonly kind: "postgres" }>): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  pool.on("error", () => undefined);
  return pool;
}
