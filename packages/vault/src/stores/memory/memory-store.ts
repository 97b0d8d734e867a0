/**
 * A store in memory, for tests of those who use a vault: everything that a store must do, without a file or a server.
 * It is also the shortest answer to what the interface means. Nothing of it outlives the process.
 */
import { ruledOptions, wholeNumbers } from "@strongroom/base/options";
import { VaultError } from "../../errors.ts";
import type { Epoch, Gate, GateState } from "../gate.ts";
import type { Inventory, Rewrap } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import type { Capabilities, CallerTransaction, RecordStore, Store } from "../store.ts";
import { memoryInventory } from "./inventory.ts";
import { memoryJobs } from "./jobs.ts";
import { countCollections, listRecords, readHead, readRecord, readVersions } from "./record-reads.ts";
import { draftOf, MemoryStorage, MemoryTransaction, tablesOf } from "./memory-storage.ts";
import type { MemoryTables } from "./tables.ts";
import { applyEach, applyTogether, settle, takeUnits } from "./units.ts";

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
  const { storage = new MemoryStorage(), clock = () => new Date(), capabilities } = values as MemoryStoreOptions;
  const wrong = [...problems];
  const limits = wholeNumbers(capabilities, DEFAULT_MEMORY_LIMITS, {
    what: "capabilities",
    kind: "a capability that can be chosen",
    problems: wrong,
  });
  if (wrong.length > 0) throw new VaultError("vault-option-invalid", wrong.join("; "));
  return new MemoryStore(tablesOf(storage), () => clock().getTime(), {
    ...limits,
    list: "strong",
    inventory: "scan",
    gate: "lock",
    callerTransaction: true,
  });
}

class MemoryStore implements Store {
  readonly capabilities: Capabilities;
  readonly records: RecordStore;
  readonly gate: Gate;
  readonly inventory: Inventory;
  readonly jobs: JobStore;
  readonly #tables: MemoryTables;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(tables: MemoryTables, now: () => number, capabilities: Capabilities) {
    this.#tables = tables;
    this.capabilities = capabilities;
    this.records = this.#recordStore();
    this.gate = {
      current: () => this.#read((): GateState => ({ ...tables.gate })),
      flip: (change) => this.#flip({ ...change }),
      // A turn of its own: what was under way before it has ended.
      drained: () => this.#change(null, () => undefined),
    };
    const inventory = memoryInventory(tables, now);
    this.inventory = {
      sets: () => this.#read(() => inventory.sets()),
      counts: (sets, atMost) => this.#read(() => inventory.counts(sets, atMost)),
      any: (sets) => this.#read(() => inventory.any(sets)),
      list: (page) => this.#read(() => inventory.list(page)),
      rewrap: async (change) => this.#change(copyRewrap(change), (own) => inventory.rewrap(own)),
      fail: async (lease, place, failure) =>
        this.#change(structuredClone({ lease, place, failure }), (own) => {
          inventory.fail(own.lease, own.place, own.failure);
        }),
    };
    // A partition is a row that records do not share: taking one waits for no writer.
    const jobs = memoryJobs(tables, now);
    this.jobs = {
      add: (job, partitions) =>
        this.#read(() => {
          jobs.add(job, partitions);
        }),
      lease: (request) => this.#read(() => jobs.lease(request)),
      save: (lease, progress, ms) => this.#read(() => jobs.save(lease, progress, ms)),
      finish: (lease, progress, dueInMs) => this.#read(() => jobs.finish(lease, progress, dueInMs)),
      wake: (job) =>
        this.#read(() => {
          jobs.wake(job);
        }),
      list: () => this.#read(() => jobs.list()),
    };
  }

  #recordStore(): RecordStore {
    const tables = this.#tables;
    return {
      heads: (addresses) => this.#read(() => addresses.map((address) => readHead(tables, address))),
      read: (address, version) => this.#read(() => readRecord(tables, address, version)),
      versions: (address, page) => this.#read(() => readVersions(tables, address, page)),
      list: (collection, page) => this.#read(() => listRecords(tables, collection, page)),
      collections: () => this.#read(() => countCollections(tables)),
      apply: async (units, { atomic }) =>
        this.#change(takeUnits(units, this.capabilities, atomic), (own) =>
          (atomic ? applyTogether : applyEach)(tables, own, tables.gate.epoch),
        ),
      outcome: async (units) =>
        this.#change(
          units.map(({ writeId }) => writeId),
          (own) => settle(tables, own),
        ),
    };
  }

  async #flip({ from, digest }: { readonly from: Epoch; readonly digest: string }): Promise<"flipped" | "moved"> {
    return this.#change(null, () => {
      if (this.#tables.gate.epoch !== from) return "moved";
      this.#tables.gate = { ...this.#tables.gate, epoch: (from + 1) as Epoch, digest };
      return "flipped";
    });
  }

  /** Takes a transaction of {@link MemoryStorage.begin}. */
  transaction = async (client: unknown): Promise<CallerTransaction> => {
    this.#requireOpen();
    if (!(client instanceof MemoryTransaction))
      throw new VaultError("transaction-refused", "The client is no transaction of a MemoryStorage");
    draftOf(client, this.#tables);
    return {
      apply: async (units) => {
        this.#requireOpen();
        const own = takeUnits(units, this.capabilities, true);
        return applyTogether(draftOf(client, this.#tables), own, this.#tables.gate.epoch);
      },
    };
  };

  requireRoom(): Promise<void> {
    return this.#read(() => undefined);
  }

  ping(): Promise<void> {
    return this.#read(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #read<Result>(work: () => Result): Promise<Result> {
    this.#requireOpen();
    return work();
  }

  /** In turn; `own` is a copy of what was given, as it was at the call. */
  async #change<Given, Result>(own: Given, work: (own: Given) => Result): Promise<Result> {
    this.#requireOpen();
    const running = this.#tables.change(() => work(own));
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new VaultError("store-closed", "The store is closed");
  }
}

function copyRewrap({ message, ...change }: Rewrap): Rewrap {
  return { ...structuredClone(change), message: message === null ? null : Buffer.from(message) };
}
