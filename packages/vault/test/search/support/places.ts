/**
 * Vaults whose records are found by a unique e-mail and a name, over stores that several processes share: files of
 * SQLite, or schemas of PostgreSQL.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { CollectionOptions, KeyStore, Store, Vault } from "@strongroom/vault";
import { email, foldedName } from "@strongroom/vault/normalisers";
import { postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import type pg from "pg";
import { defer } from "../../../../../tests/support/defer.ts";
import { newKeySchema, newSchema, poolOf } from "../../postgres/support/storage.ts";
import { temporaryFolder } from "../../support/storage.ts";
import { aesKeyring } from "../../support/vault.ts";

/** Where the stores are; told to a process as JSON. */
export type Place =
  | { readonly kind: "sqlite"; readonly folder: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string; readonly keySchema: string };

export const FOUND: Readonly<Record<string, CollectionOptions>> = {
  people: {
    subject: "none",
    fields: { email: { find: email(), unique: true }, name: { find: foldedName(), values: 5_000 } },
  },
};
export const PLAIN: Readonly<Record<string, CollectionOptions>> = { people: { subject: "none" } };

/** The vaults of these tests have one key: what is tested are tags. */
const KEYRING = aesKeyring(Buffer.alloc(32, 7));

export async function sqlitePlace(t: TestContext): Promise<Place> {
  return { kind: "sqlite", folder: await temporaryFolder(t) };
}

export async function postgresPlace(
  t: TestContext,
  { url, pool }: { readonly url: string; readonly pool: pg.Pool },
): Promise<Place> {
  const [{ schema }, { schema: keySchema }] = [await newSchema(t, pool), await newKeySchema(t, pool)];
  return { kind: "postgres", url, schema, keySchema };
}

/** A vault as a process of its own would open it, and how it is closed again. */
export async function openAt(
  place: Place,
  collections = FOUND,
): Promise<{ readonly vault: Vault; readonly close: () => Promise<void> }> {
  const { store, keyStore, end } = await storesAt(place);
  const vault = await openVault({ store, keyring: KEYRING, keys: { store: keyStore }, collections });
  return {
    vault,
    close: async () => {
      await vault.close();
      await end();
    },
  };
}

/** The same for the length of a test. */
export async function openFor(t: TestContext, place: Place, collections = FOUND): Promise<Vault> {
  const { vault, close } = await openAt(place, collections);
  defer(t, close);
  return vault;
}

async function storesAt(
  place: Place,
): Promise<{ readonly store: Store; readonly keyStore: KeyStore; readonly end: () => Promise<void> }> {
  if (place.kind === "sqlite") {
    const store = await sqliteStore(join(place.folder, "records.sqlite"));
    const keyStore = await sqliteKeyStore(join(place.folder, "keys.sqlite"));
    return { store, keyStore, end: () => Promise.resolve() };
  }
  const [pool, keyPool] = [poolOf(place.url, 6), poolOf(place.url, 3)];
  const store = await postgresStore(pool, { schema: place.schema });
  const keyStore = await postgresKeyStore(keyPool, { schema: place.keySchema });
  const end = async (): Promise<void> => {
    await Promise.all([pool.end(), keyPool.end()]);
  };
  return { store, keyStore, end };
}
