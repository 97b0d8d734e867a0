/**
 * A store in memory, for tests of those who use a vault: everything that a store must do, without a file or a server.
 * It is also the shortest answer to what the interface means. Nothing of it outlives the process.
 */
import { ruledOptions, wholeNumbers } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import type { Rewrap } from "../inventory.ts";
import type { Capabilities, CallerTransaction, RecordStore, Store, SubjectRows } from "../store.ts";
import { takeSubjectId } from "../unit-people.ts";
import { memoryIndexes } from "./indexes.ts";
import { memoryKept } from "./kept.ts";
import { memoryNotes } from "./notes.ts";
import { countCollections, listRecords, readHead, readRecord, readVersions } from "./record-reads.ts";
import { draftOf, MemoryStorage, MemoryTransaction, tablesOf } from "./memory-storage.ts";
import { Opened } from "./opened.ts";
import { closedOf, memorySubjects } from "./subjects.ts";
import type { MemoryTables } from "./tables.ts";
import { applyEach, applyTogether, settle, takeUnits } from "./units.ts";
import { wrappedVersions } from "./wrapped-versions.ts";

/** What a store in memory is made with. */
export interface MemoryStoreOptions {
  /** Shared with other stores, as processes share a database. Left out: one of its own. */
  readonly storage?: MemoryStorage;
  /** Now, for leases and what waits. For tests that have time of their own. */
  readonly clock?: () => Date;
  /** What it says that it can do, and holds to: `atomicUnits: 1` shows a program on a store without transactions. */
  readonly capabilities?: Partial<MemoryLimits>;
}

/** What of its capabilities can be chosen: whole numbers from 1. */
export type MemoryLimits = Pick<Capabilities, "atomicUnits" | "unitItems" | "unitBytes">;

/** Its limits unless the options say otherwise. */
export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  atomicUnits: 1000,
  unitItems: 1000,
  unitBytes: 256 * 1024 * 1024,
};

/**
 * Opens a store in memory.
 *
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { memoryStore } from "@strongroom/vault/memory";
 *
 * const store = memoryStore();
 * console.log(await store.records.collections()); // prints: []
 * await store.close();
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { values, problems } = ruledOptions(
    options,
    {
      storage: [(value) => value instanceof MemoryStorage, "a MemoryStorage"],
      clock: [(value) => typeof value === "function", "a function"],
      capabilities: [() => true, "an object"],
    },
    { what: "the options of a store in memory", needed: [] },
  );
  const {
    storage = new MemoryStorage(),
    clock = () => new Date(),
    capabilities: chosen,
  } = values as MemoryStoreOptions;
  const wrong = [...problems];
  const limits = wholeNumbers(chosen, DEFAULT_MEMORY_LIMITS, {
    what: "capabilities",
    kind: "a capability that can be chosen",
    problems: wrong,
  });
  if (wrong.length > 0) throw new VaultError("vault-option-invalid", wrong.join("; "));
  const opened = new Opened(tablesOf(storage), () => clock().getTime());
  const capabilities: Capabilities = {
    ...limits,
    list: "strong",
    inventory: "scan",
    gate: "lock",
    callerTransaction: true,
  };
  return {
    ...opened.calls,
    outbox: opened.outbox((ids) => closedOf(opened.tables, ids)),
    capabilities,
    kind: "memory",
    records: recordStore(opened, capabilities),
    subjects: subjectRows(opened),
    inventory: opened.inventory(wrappedVersions(opened.tables), copyRewrap),
    notes: memoryNotes(opened),
    kept: memoryKept(opened),
    indexes: memoryIndexes(opened),
    transaction: (client) => transactionOf(opened, capabilities, client),
  };
}

function recordStore(opened: Opened<MemoryTables>, capabilities: Capabilities): RecordStore {
  const { tables } = opened;
  return {
    heads: (addresses) => opened.read(() => addresses.map((address) => readHead(tables, address))),
    read: (address, version) => opened.read(() => readRecord(tables, address, version)),
    versions: (address, page) => opened.read(() => readVersions(tables, address, page)),
    list: (collection, page) => opened.read(() => listRecords(tables, collection, page)),
    collections: () => opened.read(() => countCollections(tables)),
    apply: async (units, { atomic }) =>
      opened.change(takeUnits(units, capabilities, atomic), (own) =>
        (atomic ? applyTogether : applyEach)(tables, own, { epoch: tables.gate.epoch, at: opened.now() }),
      ),
    outcome: async (units) =>
      opened.change(
        units.map(({ writeId }) => writeId),
        (own) => settle(tables, own),
      ),
  };
}

function subjectRows(opened: Opened<MemoryTables>): SubjectRows {
  const subjects = memorySubjects(opened.tables);
  return {
    get: (ids) => opened.read(() => subjects.get(ids)),
    list: (page) => opened.read(() => subjects.list(page)),
    newest: (limit) => opened.read(() => subjects.newest(limit)),
    records: (id, page) => opened.read(() => subjects.records(id, page)),
    // In turn: the units under way, in a caller's transaction too, have ended.
    setState: async ({ id, from, to }) =>
      opened.change({ id: takeSubjectId(id), from: [...from], to }, (own) => subjects.setState(own)),
  };
}

/** Units in a transaction of {@link MemoryStorage.begin}. */
async function transactionOf(
  opened: Opened<MemoryTables>,
  capabilities: Capabilities,
  client: unknown,
): Promise<CallerTransaction> {
  opened.requireOpen();
  if (!(client instanceof MemoryTransaction))
    throw new VaultError("transaction-refused", "The client is no transaction of a MemoryStorage");
  const { tables } = opened;
  draftOf(client, tables);
  return {
    apply: async (units) => {
      opened.requireOpen();
      const own = takeUnits(units, capabilities, true);
      return applyTogether(draftOf(client, tables), own, { epoch: tables.gate.epoch, at: opened.now() });
    },
  };
}

function copyRewrap({ message, ...change }: Rewrap): Rewrap {
  return { ...structuredClone(change), message: message === null ? null : Buffer.from(message) };
}
