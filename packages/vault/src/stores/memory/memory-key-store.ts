/**
 * A key store in memory, for tests of those who use a vault. Nothing of it outlives the process.
 */
import { ruledOptions } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import { takeCreations, takeDrop, takeErasure, takeKeyRewrap, takeRetag, takeVersions } from "../key-limits.ts";
import { refused } from "../checked.ts";
import type { CheckpointRow, KeyRows, KeyStore } from "../key-store.ts";
import type { Outbox } from "../outbox.ts";
import { takeCheckpoint } from "../outbox-limits.ts";
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
  const opened = new Opened(keyTablesOf(storage), () => clock().getTime());
  return {
    ...opened.calls,
    kind: "memory",
    outbox: outboxOf(opened),
    checkpoint: checkpointRow(opened),
    keys: keyRows(opened),
    inventory: opened.inventory(wrappedKeys(opened.tables), takeKeyRewrap),
  };
}

/** Nobody is read about in a key store. */
function outboxOf(opened: Opened<KeyTables>): Outbox {
  const outbox = opened.outbox(() => []);
  return {
    ...outbox,
    append: async (entries, active) => {
      if (active.length > 0) throw refused("a key store knows nobody who is active");
      return outbox.append(entries, active);
    },
  };
}

function checkpointRow(opened: Opened<KeyTables>): CheckpointRow {
  const { tables } = opened;
  return {
    read: () => opened.read(() => tables.checkpoint),
    replace: async (note, seen) =>
      opened.change(takeCheckpoint(note), (own) => {
        if (tables.checkpoint !== seen) return "overtaken";
        tables.checkpoint = own;
        return "replaced";
      }),
  };
}

function keyRows(opened: Opened<KeyTables>): KeyRows {
  const keys = memoryKeys(opened.tables);
  return {
    resolve: (tags) => opened.read(() => keys.resolve(tags)),
    names: (ids) => opened.read(() => keys.names(ids)),
    active: (names) => opened.read(() => keys.active(names)),
    version: (owner, version) => opened.read(() => keys.version(owner, version)),
    versions: (name) => opened.read(() => keys.versions(name)),
    owners: async (versions) => {
      const own = takeVersions(versions);
      return opened.read(() => keys.owners(own));
    },
    erased: (ids) => opened.read(() => keys.erased(ids)),
    people: (page) => opened.read(() => keys.people(page)),
    counts: () => opened.read(() => keys.counts()),
    create: async (creations) => opened.change(takeCreations(creations), (own) => keys.create(own)),
    erase: async (ids, at) =>
      opened.change(takeErasure(ids, at), (own) => {
        keys.erase(own.ids, own.at);
      }),
    drop: async (drop) => opened.change(takeDrop(drop), (own) => keys.drop(own)),
    retag: async (retag) => opened.change(takeRetag(retag), (own) => keys.retag(own)),
  };
}
