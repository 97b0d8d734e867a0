/**
 * A key store in one SQLite file of its own, beside that of the records: as durable, as watched, and written by the
 * same thread. What was destroyed is overwritten.
 */
import type { Gate } from "../gate.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import { takeCreations, takeDrop, takeErasure, takeKeyRewrap, takeRetag, takeVersions } from "../key-limits.ts";
import type { CheckpointRow, KeyPlace, KeyRewrap, KeyRows, KeyStore } from "../key-store.ts";
import type { Outbox } from "../outbox.ts";
import { openKeys } from "./database.ts";
import type { OpenFileOptions, OpenVaultFile } from "./database.ts";
import { KEY_INVENTORY } from "./key-inventory.ts";
import { takenCreation, takenKeyRewrap } from "./keys-taken.ts";
import { DEFAULT_FILE_OPTIONS, FileStore, gateOf, jobsOf, OpenStore } from "./open-store.ts";
import type { KeyOperations } from "./operations.ts";
import { checkpointOf, outboxOf } from "./outbox-calls.ts";
import {
  activeKey,
  countKeys,
  isErased,
  keyVersion,
  keyVersions,
  nameOf,
  ownerOfVersion,
  people,
  personByTag,
} from "./read-keys.ts";
import { readWrapSets } from "./wrap-set-rows.ts";

export type SqliteKeyStoreOptions = Partial<OpenFileOptions>;

export const DEFAULT_SQLITE_KEY_STORE_OPTIONS: OpenFileOptions = DEFAULT_FILE_OPTIONS;

/**
 * Opens the key store in the file `path`, which is made when absent. Its folder must exist; keep it out of the backups
 * of the records.
 *
 * @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed`
 * @example
 * ```ts
 * import { sqliteKeyStore } from "@strongroom/vault/sqlite";
 *
 * const store = await sqliteKeyStore("keys.sqlite", { mark: true });
 * console.log((await store.keys.counts()).subject); // prints: 0
 * await store.close();
 * ```
 */
export async function sqliteKeyStore(path: string, options: SqliteKeyStoreOptions = {}): Promise<KeyStore> {
  const settled = { ...DEFAULT_SQLITE_KEY_STORE_OPTIONS, ...options };
  return new SqliteKeyStore(await openKeys(path, settled), settled);
}

class SqliteKeyStore extends FileStore<KeyOperations> implements KeyStore {
  readonly gate: Gate;
  readonly jobs: JobStore;
  readonly outbox: Outbox;
  readonly keys: KeyRows;
  readonly checkpoint: CheckpointRow;
  readonly inventory: Inventory<KeyPlace, KeyRewrap>;

  constructor(file: OpenVaultFile, options: OpenFileOptions) {
    const store = new OpenStore<KeyOperations>(file, options);
    super(store);
    this.keys = {
      resolve: (tags) => store.read((db) => tags.map((tag) => personByTag(db, tag))),
      names: (ids) => store.read((db) => ids.map((id) => nameOf(db, id))),
      active: (names) => store.read((db) => names.map((name) => activeKey(db, name))),
      version: (owner, version) => store.read((db) => keyVersion(db, owner, version)),
      owners: async (versions) => {
        const taken = takeVersions(versions);
        return store.read((db) => taken.map((version) => ownerOfVersion(db, version)));
      },
      versions: (name) => store.read((db) => keyVersions(db, name)),
      create: async (creations) => store.change("create", [takeCreations(creations).map(takenCreation)]),
      erase: async (ids, at) => store.reduce("erase", [takeErasure(ids, at)]),
      drop: async (drop) => store.reduce("dropKey", [takeDrop(drop)]),
      retag: async (retag) => store.change("retag", [takeRetag(retag)]),
      erased: (ids) => store.read((db) => ids.map((id) => isErased(db, id))),
      people: (page) => store.read((db) => people(db, page)),
      counts: () => store.read(countKeys),
    };
    this.gate = gateOf(store);
    this.inventory = {
      sets: () => store.read((db) => readWrapSets(db, "keys")),
      counts: (sets, atMost) => store.read((db) => KEY_INVENTORY.counts(db, sets, atMost)),
      any: (sets) => store.read((db) => KEY_INVENTORY.any(db, sets)),
      list: (page) => store.read((db) => KEY_INVENTORY.list(db, page, Date.now())),
      failed: (page) => store.read((db) => KEY_INVENTORY.failed(db, page)),
      rewrap: async (change) => store.change("rewrap", [takenKeyRewrap(takeKeyRewrap(change))]),
      fail: async (...given) => store.reduce("fail", given),
    };
    this.jobs = jobsOf(store);
    this.outbox = outboxOf(store, { hasPeople: false });
    this.checkpoint = checkpointOf(store);
  }
}
