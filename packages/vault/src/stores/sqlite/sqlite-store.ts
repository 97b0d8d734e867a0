/**
 * A store in one SQLite file. Write-ahead log, `synchronous=FULL` (a commit that was answered survives the loss of
 * power), `secure_delete` (removed messages are overwritten, not only unlinked), mode 0600.
 */
import { isVaultError, VaultError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import { INDEXED } from "../indexed-capabilities.ts";
import type { Indexes } from "../indexes.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import { takeDrop, takeRestore } from "../kept-limits.ts";
import type { KeptMessages } from "../kept.ts";
import { takeNote } from "../note-limits.ts";
import type { Notes } from "../notes.ts";
import type { Outbox } from "../outbox.ts";
import type { Capabilities, RecordStore, Store, SubjectRows } from "../store.ts";
import type { UnitResult } from "../units.ts";
import { openRecords } from "./database.ts";
import type { OpenDatabaseOptions, OpenVaultFile } from "./database.ts";
import { takenEntries } from "./entries-taken.ts";
import { indexesOf } from "./index-calls.ts";
import { countCollections, listRecords } from "./list-rows.ts";
import { DEFAULT_FILE_OPTIONS, FileStore, gateOf, jobsOf, OpenStore } from "./open-store.ts";
import type { RecordOperations } from "./operations.ts";
import { outboxOf } from "./outbox-calls.ts";
import { anyKept, countKept, listKept, readKept } from "./read-kept.ts";
import { readHead, readRecord, readVersions } from "./read-records.ts";
import { getSubjects, listSubjects, newestSubjects, recordsOfSubject } from "./subject-rows.ts";
import { takenTags } from "./tags-taken.ts";
import { takeRewrap, takeStateChange, takeUnits, takeWrites } from "./units-taken.ts";
import type { UnitWithMore } from "./units-taken.ts";
import { VERSION_INVENTORY } from "./version-inventory.ts";
import { readWrapSets } from "./wrap-set-rows.ts";
import { listNotes } from "./write-notes.ts";

export type SqliteStoreOptions = Partial<OpenDatabaseOptions>;

export const DEFAULT_SQLITE_STORE_OPTIONS: OpenDatabaseOptions = { ...DEFAULT_FILE_OPTIONS, moveFrom: null };

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
  return new SqliteStore(await openRecords(path, settled), settled);
}

class SqliteStore extends FileStore<RecordOperations> implements Store {
  readonly capabilities: Capabilities = SQLITE_CAPABILITIES;
  readonly gate: Gate;
  readonly jobs: JobStore;
  readonly outbox: Outbox;
  readonly records: RecordStore;
  readonly subjects: SubjectRows;
  readonly inventory: Inventory;
  readonly notes: Notes;
  readonly kept: KeptMessages;
  readonly indexes: Indexes;
  readonly #store: OpenStore<RecordOperations>;

  constructor(file: OpenVaultFile, options: OpenDatabaseOptions) {
    const store = new OpenStore<RecordOperations>(file, options);
    super(store);
    this.#store = store;
    this.records = {
      heads: (addresses) => store.read((db) => addresses.map((address) => readHead(db, address))),
      read: (address, version) => store.read((db) => readRecord(db, address, version)),
      versions: (address, page) => store.read((db) => readVersions(db, address, page)),
      list: (collection, page) => store.read((db) => listRecords(db, collection, page)),
      collections: () => store.read(countCollections),
      apply: async (units, { atomic }) => this.#apply(takeUnits(units, this.capabilities, atomic), atomic),
      outcome: async (units) => store.reduce("outcome", [takeWrites(units)]),
    };
    this.subjects = {
      get: (ids) => store.read((db) => getSubjects(db, ids)),
      list: (page) => store.read((db) => listSubjects(db, page)),
      newest: (limit) => store.read((db) => newestSubjects(db, limit)),
      setState: async (change) => store.reduce("setState", [takeStateChange(change)]),
      records: (id, page) => store.read((db) => recordsOfSubject(db, id, page)),
    };
    this.gate = gateOf(store);
    this.inventory = {
      sets: () => store.read((db) => readWrapSets(db, "versions", "kept")),
      counts: (sets, atMost) => store.read((db) => VERSION_INVENTORY.counts(db, sets, atMost)),
      any: (sets) => store.read((db) => VERSION_INVENTORY.any(db, sets)),
      list: (page) => store.read((db) => VERSION_INVENTORY.list(db, page, Date.now())),
      failed: (page) => store.read((db) => VERSION_INVENTORY.failed(db, page)),
      rewrap: async (change) => {
        const taken = takeRewrap(change);
        return store.change("rewrap", [taken], taken.message === null ? [] : [taken.message]);
      },
      fail: async (...given) => store.reduce("fail", given),
    };
    this.notes = {
      list: (prefix) => store.read((db) => listNotes(db, prefix)),
      replace: async (name, text, seen) => {
        const taken = takeNote({ name, text, seen });
        return taken.text === null
          ? store.reduce("replaceNote", [taken])
          : store.note("replaceNote", [taken], Buffer.byteLength(taken.text));
      },
    };
    this.kept = {
      counts: (atMost) => store.read((db) => countKept(db, atMost)),
      any: (sets) => store.read((db) => anyKept(db, sets)),
      list: (page) => store.read((db) => listKept(db, page)),
      read: (place) => store.read((db) => readKept(db, place)),
      restore: async (change) => store.reduce("restore", [takeRestore(change)]),
      drop: async (items, lease) => store.reduce("dropKept", [takeDrop({ items, lease })]),
    };
    this.indexes = indexesOf(store);
    this.jobs = jobsOf(store);
    this.outbox = outboxOf(store, { hasPeople: true });
  }

  async #apply(taken: readonly UnitWithMore[], isAtomic: boolean): Promise<readonly UnitResult[]> {
    if (taken.length === 0) return this.#store.read(() => []);
    if (isAtomic) return this.#applyTogether(taken);
    const each = await Promise.allSettled(taken.map((one) => this.#applyTogether([one])));
    const failed = each.filter((one) => one.status === "rejected").map(({ reason }): unknown => reason);
    if (failed.length === 0) return each.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    throw failed.length === each.length ? failureOfAll(failed) : mixed(failed[0]);
  }

  #applyTogether(taken: readonly UnitWithMore[]): Promise<readonly UnitResult[]> {
    const units = taken.map(({ unit }) => unit);
    const audit = takenEntries(taken.flatMap(({ entry }) => entry ?? []));
    const tags = takenTags(taken.map((one) => one.tags));
    if (units.every(({ change }) => change.kind === "remove"))
      return this.#store.reduce("apply", [units, audit, tags], audit.bytes.length);
    const versions = units.flatMap(({ change }) => (change.kind === "write" ? change.versions : []));
    const owned = [audit.bytes, tags.bytes, ...versions.map(({ message }) => message)];
    return this.#store.change("apply", [units, audit, tags], owned);
  }
}

/** Of units none of which is known to be made: that it is unknown of one tells more than why another was not made. */
const failureOfAll = (failures: readonly unknown[]): unknown =>
  failures.find((one) => isVaultError(one) && one.code === "outcome-unknown") ?? failures[0];

/** Some were answered: whoever heard only why one of them failed would take the others for not made. */
const mixed = (cause: unknown): VaultError =>
  new VaultError("outcome-unknown", "Some of the units were made or refused, and others failed", { cause });
