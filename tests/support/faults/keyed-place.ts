/**
 * Where the records of a vault and the keys of its people are, as it is told to a process of a test's own.
 */
import { openVault } from "@strongroom/vault";
import type { KeyStore, Store, Vault } from "@strongroom/vault";
import { postgresKeyStore } from "@strongroom/vault/postgres";
import { sqliteKeyStore } from "@strongroom/vault/sqlite";
import { keyringOf } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { openPlace, poolOf, preparePlace } from "./place.ts";
import type { Place } from "./place.ts";

/** Two stores, which know each other. */
export interface KeyedPlace {
  readonly records: Place;
  readonly keys: Place;
}

export async function openKeyPlace(place: Place): Promise<KeyStore> {
  if (place.kind === "sqlite") return sqliteKeyStore(place.path);
  return postgresKeyStore(poolOf(place), { endPool: true });
}

/** Both stores. Whoever opens them closes them. */
export async function openStores({ records, keys }: KeyedPlace): Promise<{ store: Store; keyStore: KeyStore }> {
  return { store: await openPlace(records), keyStore: await openKeyPlace(keys) };
}

/** A vault that holds no key yet. Closing it closes its stores. */
export async function openKeyedVault(place: KeyedPlace, key: TestKey): Promise<Vault> {
  const { store, keyStore } = await openStores(place);
  return openVault({ store, keyring: keyringOf(key), keySet: [key.name], keys: { store: keyStore } });
}

/** Makes the tables where that is a step of its own, and joins the two stores. */
export async function prepareKeyedPlace(place: KeyedPlace, key: TestKey): Promise<void> {
  await prepareKeyedTables(place);
  await (await openKeyedVault(place, key)).close();
}

export async function prepareKeyedTables({ records, keys }: KeyedPlace): Promise<void> {
  await preparePlace(records);
  if (keys.kind === "postgres") await (await postgresKeyStore(poolOf(keys), { migrate: true, endPool: true })).close();
}
