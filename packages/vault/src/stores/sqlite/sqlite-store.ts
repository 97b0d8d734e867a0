/**
 * A store in one SQLite file. Write-ahead log, `synchronous=FULL` (a commit that was answered survives the loss of
 * power), `secure_delete` (removed messages are overwritten, not only unlinked), mode 0600. Reads are made here, at
 * once, each on one snapshot; changes by the writer, a thread of its own (writer.ts).
 */
import { whileBusy } from "@strongroom/base/sqlite";
import { isVaultError, VaultError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import { INDEXED } from "../indexed-capabilities.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import type { Capabilities, RecordStore, Store } from "../store.ts";
import { UnderWay } from "../under-way.ts";
import type { UnitResult } from "../units.ts";
import { openDatabase } from "./database.ts";
import type { OpenDatabaseOptions, OpenVaultFile } from "./database.ts";
import { storeFailure } from "./failures.ts";
import { readGate } from "./gate-row.ts";
import { countCollections, listRecords } from "./list-rows.ts";
import type { Answer, Given, OperationName } from "./operations.ts";
import { anyOf, countSets, listInventory } from "./read-inventory.ts";
import { readHead, readRecord, readVersions } from "./read-records.ts";
import type { Connection } from "./statements.ts";
import { takeRewrap, takeUnits, takeWrites } from "./units-taken.ts";
import type { OwnBytes, TakenUnit } from "./units-taken.ts";
import { readWrapSets } from "./wrap-set-rows.ts";
import { listPartitions } from "./write-jobs.ts";
import { WriterClient } from "./writer-client.ts";

export type SqliteStoreOptions = Partial<OpenDatabaseOptions>;

export const DEFAULT_SQLITE_STORE_OPTIONS: OpenDatabaseOptions = {
  busyTimeoutMs: 5000,
  maxBytes: Number.MAX_SAFE_INTEGER,
  mark: false,
  reserve: false,
  moveFrom: null,
};

/** What a store in SQLite can do. */
export const SQLITE_CAPABILITIES: Capabilities = { ...INDEXED, callerTransaction: false };

/**
 * Opens the store in the file `path`, which is made when absent. Its folder must exist. There is no store in memory:
 * `:memory:`, an empty path and `file:` URIs are refused; in a test, take `memoryStore`, or a file in a temporary
 * folder.
 *
 * @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed`
 * @example
 * ```ts
 * import { sqliteStore } from "@strongroom/vault/sqlite";
 *
 * const store = await sqliteStore("records.sqlite", { maxBytes: 10 * 2 ** 30 });
 * console.log(await store.records.collections()); // prints: []
 * await store.close();
 * ```
 */
export async function sqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const settled = { ...DEFAULT_SQLITE_STORE_OPTIONS, ...options };
  return new SqliteStore(await openDatabase(path, settled), settled);
}

class SqliteStore implements Store {
  readonly capabilities: Capabilities = SQLITE_CAPABILITIES;
  readonly records: RecordStore;
  readonly gate: Gate;
  readonly inventory: Inventory;
  readonly jobs: JobStore;
  readonly #file: OpenVaultFile;
  readonly #writer: WriterClient;
  readonly #busyTimeoutMs: number;
  readonly #underWay = new UnderWay();

  constructor(file: OpenVaultFile, { busyTimeoutMs, maxBytes }: OpenDatabaseOptions) {
    this.#file = file;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#writer = new WriterClient({ path: file.path, busyTimeoutMs, maxBytes }, file.guard);
    this.records = {
      heads: (addresses) => this.#read((db) => addresses.map((address) => readHead(db, address))),
      read: (address, version) => this.#read((db) => readRecord(db, address, version)),
      versions: (address, page) => this.#read((db) => readVersions(db, address, page)),
      list: (collection, page) => this.#read((db) => listRecords(db, collection, page)),
      collections: () => this.#read(countCollections),
      apply: async (units, { atomic }) => this.#apply(takeUnits(units, this.capabilities, atomic), atomic),
      outcome: async (units) => this.#reduce("outcome", [takeWrites(units)]),
    };
    this.gate = {
      current: () =>
        this.#read((db) => {
          const { vault, epoch, digest, minReader, minWriter } = readGate(db);
          return { vault, epoch, digest, minReader, minWriter };
        }),
      flip: async ({ from, digest }) => this.#reduce("flip", [{ from, digest }]),
      // Each transaction looks at the gate under the lock of writing: with the flip's own commit nothing is left.
      drained: () => this.#read(() => undefined),
    };
    this.inventory = {
      sets: () => this.#read(readWrapSets),
      counts: (sets, atMost) => this.#read((db) => countSets(db, sets, atMost)),
      any: (sets) => this.#read((db) => anyOf(db, sets)),
      list: (page) => this.#read((db) => listInventory(db, page, Date.now())),
      rewrap: async (change) => {
        const taken = takeRewrap(change);
        return this.#change("rewrap", [taken], taken.message === null ? [] : [taken.message]);
      },
      fail: async (...given) => this.#reduce("fail", given),
    };
    this.jobs = {
      add: async (job, partitions) => this.#reduce("addPartitions", [job, partitions]),
      lease: async ({ job, holder, ms }) => this.#reduce("takePartition", [{ job, holder, ms }]),
      save: async (lease, progress, ms) =>
        this.#reduce("savePartition", [lease, progress, { state: "held", inMs: ms }]),
      finish: async (lease, progress, dueInMs) =>
        this.#reduce("savePartition", [
          lease,
          progress,
          dueInMs === null ? { state: "finished", inMs: 0 } : { state: "free", inMs: dueInMs },
        ]),
      wake: async (job) => this.#reduce("wakeJob", [job]),
      list: () => this.#read(listPartitions),
    };
  }

  async requireRoom(): Promise<void> {
    this.#underWay.requireOpen();
    if (this.#file.reserve?.hasRoom() === false)
      throw new VaultError("store-full", "Hardly any room is left on the volume that holds the database");
  }

  async ping(): Promise<void> {
    await this.#read(() => undefined);
  }

  async close(): Promise<void> {
    await this.#underWay.close(async () => {
      await this.#writer.close();
      await this.#file.close();
    });
  }

  async #apply(units: readonly TakenUnit[], isAtomic: boolean): Promise<readonly UnitResult[]> {
    if (units.length === 0) return this.#read(() => []);
    if (isAtomic) return this.#applyTogether(units);
    const each = await Promise.allSettled(units.map((unit) => this.#applyTogether([unit])));
    const failed = each.filter((one) => one.status === "rejected").map(({ reason }): unknown => reason);
    if (failed.length === 0) return each.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    throw failed.length === each.length ? failureOfAll(failed) : mixed(failed[0]);
  }

  #applyTogether(units: readonly TakenUnit[]): Promise<readonly UnitResult[]> {
    if (units.every(({ change }) => change.kind === "remove")) return this.#reduce("apply", [units]);
    const messages = units.flatMap(({ change }) => (change.kind === "write" ? change.versions : []));
    return this.#change(
      "apply",
      [units],
      messages.map(({ message }) => message),
    );
  }

  /** One snapshot. */
  #read<Result>(query: (connection: Connection) => Result): Promise<Result> {
    const { connection, guard } = this.#file;
    return this.#run(() =>
      whileBusy(this.#busyTimeoutMs, async () => {
        guard.requireFiles();
        return connection.snapshot(() => {
          guard.requireState("read");
          return query(connection);
        });
      }),
    );
  }

  /** A change that makes nothing more, or next to nothing: on a full disk it has the room that is kept for it. */
  async #reduce<Name extends OperationName>(name: Name, given: Given<Name>): Promise<Answer<Name>> {
    const { reserve } = this.#file;
    const isHeld = reserve?.isHeld === true;
    reserve?.releaseWhenScarce();
    try {
      return await this.#change(name, given);
    } catch (error) {
      const isFull = isVaultError(error) && error.code === "store-full";
      // Of several that met the full disk together, the first one has given the room up for all.
      if (!isFull || !isHeld) throw error;
      reserve.release();
      return this.#change(name, given);
    }
  }

  #change<Name extends OperationName>(
    name: Name,
    given: Given<Name>,
    owned: readonly OwnBytes[] = [],
  ): Promise<Answer<Name>> {
    return this.#run(() => this.#writer.send(name, given, owned));
  }

  #run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#underWay.run(work, storeFailure);
  }
}

/** Of units none of which is known to be made: that it is unknown of one tells more than why another was not made. */
const failureOfAll = (failures: readonly unknown[]): unknown =>
  failures.find((one) => isVaultError(one) && one.code === "outcome-unknown") ?? failures[0];

/** Some were answered: whoever heard only why one of them failed would take the others for not made. */
const mixed = (cause: unknown): VaultError =>
  new VaultError("outcome-unknown", "Some of the units were made or refused, and others failed", { cause });
