// The three stores of an installation, and what is other about each: where its settings stand, and what it is called.
import { join } from "node:path";
import { isUrl } from "@strongroom/base/settings";
import type { Config, StoreSettings } from "../config/config.ts";
import type { PostgresPlace } from "../config/store-url.ts";

/** A store of an installation: that of the records, that of the keys, or the log of the audit. */
export type StoreRole = "records" | "keys" | "audit";

/** A store in which a key set is in force. */
export type KeyedRole = Exclude<StoreRole, "audit">;

/** Where a login and a server are configured. */
export type StoreSetting = "store" | "keyStore" | "audit" | "source";

/** What is other about a store. */
interface StoreRoleRow {
  readonly setting: StoreSetting;
  /** Its settings as a text about those of the records has them: the URL, the others, the flag, the variable. */
  readonly names: readonly [url: string, group: string, flag: string, variable: string];
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
    names: ["store.url", "store.", "--store", "STRONGROOM_STORE"],
    passwordVariable: "STRONGROOM_STORE_PASSWORD",
    label: "Store",
    file: "records.sqlite",
  },
  keys: {
    setting: "keyStore",
    names: ["keyStore.url", "keyStore.", "--key-store", "STRONGROOM_KEY_STORE"],
    passwordVariable: "STRONGROOM_KEY_STORE_PASSWORD",
    label: "Key store",
    file: "keys.sqlite",
  },
  audit: {
    setting: "audit",
    names: ["audit.store", "audit.", "--audit-store", "STRONGROOM_AUDIT_STORE"],
    passwordVariable: "STRONGROOM_AUDIT_STORE_PASSWORD",
    label: "Audit log",
    file: "audit.sqlite",
  },
};

/** The names of what a command is told of the database of an application, which is no store of an installation. */
const SOURCE_NAMES: StoreRoleRow["names"] = ["--from", "the source's ", "--from", "STRONGROOM_SOURCE"];

/** In the order in which they are opened, shown and migrated back. */
export const ALL_ROLES: readonly StoreRole[] = ["records", "keys", "audit"];

/** A database, and the settings that say which it is. */
export interface ConfiguredPlace {
  readonly place: PostgresPlace;
  readonly setting: StoreSetting;
}

/** Where a store is, and which settings say so. */
export interface StorePlaceSettings {
  readonly settings: StoreSettings;
  /** Of the records also for what lies in their database. */
  readonly role: StoreRole;
}

/** The settings of a store. What nothing is said of lies where the records do, by the same login. */
export function placeSettings({ store, keyStore, audit }: Config, role: StoreRole): StorePlaceSettings {
  if (role === "records") return { settings: store, role };
  const own = role === "keys" ? keyStore : auditStore(audit);
  const isElsewhere = own.url !== undefined || (role === "audit" && audit.store !== undefined);
  if (isElsewhere || store.url === undefined) return { settings: own, role };
  const { schema, poolSize } = own;
  return { settings: { ...store, schema, poolSize }, role: "records" };
}

/** Of the audit's log as of any other store; without a URL it is a file. */
function auditStore({ store, passwordFile, caFile, schema, poolSize, allowUnauthenticatedStore }: Config["audit"]) {
  const url = store !== undefined && isUrl(store) ? store : undefined;
  return { url, passwordFile, caFile, schema, poolSize, allowUnauthenticatedStore };
}

/** The file of a store that lies in SQLite. Absolute. */
export function sqlitePath({ dataDir, audit }: Pick<Config, "dataDir" | "audit">, role: StoreRole): string {
  if (role === "audit" && audit.store !== undefined && !isUrl(audit.store)) return audit.store;
  return join(dataDir, STORE_ROLES[role].file);
}

/** A text about the settings of the records' store, about those of another one. */
export function aboutSettings(text: string, setting: StoreSetting): string {
  const row = Object.values(STORE_ROLES).find((one) => one.setting === setting);
  const names = setting === "source" ? SOURCE_NAMES : row?.names;
  if (names === undefined || setting === "store") return text;
  const [url, group, flag, variable] = names;
  return text
    .replaceAll(/\bstore\.url\b/g, url)
    .replaceAll(/\bstore\.(?=[a-z])/g, group)
    .replaceAll("--store", flag)
    .replaceAll("STRONGROOM_STORE", variable);
}
