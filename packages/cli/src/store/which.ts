// The two stores of an installation, and what is other about each: where its settings stand, and what it is called.
import type { Config, StoreSettings } from "../config/config.ts";
import type { PostgresPlace } from "../config/store-url.ts";

/** A store of an installation: that of the records, or that of the keys. */
export type StoreRole = "records" | "keys";

/** Where a login and a server are configured. */
export type StoreSetting = "store" | "keyStore";

/** What is other about a store. */
interface StoreRoleRow {
  readonly setting: StoreSetting;
  readonly passwordVariable: string;
  /** As a person reads it. */
  readonly label: string;
  /** File of SQLite, in the data folder. */
  readonly file: string;
}

/** Role -> what is other about it. */
export const STORE_ROLES: Readonly<Record<StoreRole, StoreRoleRow>> = {
  records: {
    setting: "store",
    passwordVariable: "STRONGROOM_STORE_PASSWORD",
    label: "Store",
    file: "records.sqlite",
  },
  keys: {
    setting: "keyStore",
    passwordVariable: "STRONGROOM_KEY_STORE_PASSWORD",
    label: "Key store",
    file: "keys.sqlite",
  },
};

/** A database, and the settings that say which it is. */
export interface ConfiguredPlace {
  readonly place: PostgresPlace;
  readonly setting: StoreSetting;
}

/** Where a store is, and which settings say so. */
export interface StorePlaceSettings {
  readonly settings: StoreSettings;
  /** Of the records also for keys that lie in their database. */
  readonly role: StoreRole;
}

/** The settings of a store. Keys that nothing is said of lie where the records do, by the same login. */
export function placeSettings({ store, keyStore }: Config, role: StoreRole): StorePlaceSettings {
  if (role === "records") return { settings: store, role };
  if (keyStore.url !== undefined || store.url === undefined) return { settings: keyStore, role };
  const { schema, poolSize } = keyStore;
  return { settings: { ...store, schema, poolSize }, role: "records" };
}

/** A text about the settings of the records' store, about those of another one. */
export function aboutSettings(text: string, setting: StoreSetting): string {
  if (setting === "store") return text;
  return text
    .replaceAll(/\bstore\.(?=[a-z])/g, `${setting}.`)
    .replaceAll("--store", "--key-store")
    .replaceAll("STRONGROOM_STORE", "STRONGROOM_KEY_STORE");
}
