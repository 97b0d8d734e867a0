/**
 * A key store in memory, for tests of those who use a vault. Nothing of it outlives the process.
 */
import { ruledOptions } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import { takeCreations, takeErasure, takeKeyRewrap } from "../key-limits.ts";
import type { KeyPlace, KeyRewrap, KeyRows, KeyStore } from "../key-store.ts";
import { memoryInventory } from "./inventory.ts";
import { memoryKeys, wrappedKeys } from "./key-rows.ts";
import { keyTablesOf, MemoryKeyStorage } from "./key-tables.ts";
import type { KeyTables } from "./key-tables.ts";
import { Opened } from "./opened.ts";

/** What a key store in memory is made with. */
export interface MemoryKeyStoreOptions {
  /** Shared with other stores, as processes share a database. Left out: one of its own. */
  readonly storage?: MemoryKeyStorage;
  /** Now, for leases and what waits. For tests that have time of their own. */
  readonly clock?: () => Date;
}

/**
 * Opens a key store in memory.
 *
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { memoryKeyStore } from "@strongroom/vault/memory";
 *
 * const store = memoryKeyStore();
 * console.log((await store.keys.counts()).subject); // prints: 0
 * await store.close();
 * ```
 */
export function memoryKeyStore(options: MemoryKeyStoreOptions = {}): KeyStore {
  const { values, problems } = ruledOptions(
    options,
    {
      storage: [(value) => value instanceof MemoryKeyStorage, "a MemoryKeyStorage"],
      clock: [(value) => typeof value === "function", "a function"],
    },
    { what: "the options of a key store in memory", needed: [] },
  );
  if (problems.length > 0) throw new VaultError("vault-option-invalid", problems.join("; "));
  const { storage = new MemoryKeyStorage(), clock = () => new Date() } = values as MemoryKeyStoreOptions;
  return new MemoryKeyStore(keyTablesOf(storage), () => clock().getTime());
}

class MemoryKeyStore implements KeyStore {
  readonly keys: KeyRows;
  readonly gate: Gate;
  readonly inventory: Inventory<KeyPlace, KeyRewrap>;
  readonly jobs: JobStore;
  readonly #opened: Opened<KeyTables>;

  constructor(tables: KeyTables, now: () => number) {
    const opened = new Opened(tables, now);
    this.#opened = opened;
    this.keys = this.#keyRows();
    this.gate = opened.gate;
    this.inventory = opened.inventory(memoryInventory(tables, wrappedKeys(tables), now), takeKeyRewrap);
    this.jobs = opened.jobs;
  }

  #keyRows(): KeyRows {
    const opened = this.#opened;
    const keys = memoryKeys(opened.tables);
    return {
      resolve: (tags) => opened.read(() => keys.resolve(tags)),
      names: (ids) => opened.read(() => keys.names(ids)),
      active: (names) => opened.read(() => keys.active(names)),
      version: (owner, version) => opened.read(() => keys.version(owner, version)),
      versions: (name) => opened.read(() => keys.versions(name)),
      erased: (ids) => opened.read(() => keys.erased(ids)),
      people: (page) => opened.read(() => keys.people(page)),
      counts: () => opened.read(() => keys.counts()),
      create: async (creations) => opened.change(takeCreations(creations), (own) => keys.create(own)),
      erase: async (ids, at) =>
        opened.change(takeErasure(ids, at), (own) => {
          keys.erase(own.ids, own.at);
        }),
    };
  }

  requireRoom(): Promise<void> {
    return this.#opened.read(() => undefined);
  }

  ping(): Promise<void> {
    return this.#opened.read(() => undefined);
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}
