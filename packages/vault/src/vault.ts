/**
 * The vault: documents in, documents out, and between them nothing but messages. The face: each call parses the address
 * that it is given and hands over to `records/`; what is owed after a write wakes the repair.
 */
import { Turns } from "@strongroom/base/work";
import { jobs } from "./jobs.ts";
import type { JobSummary } from "./jobs.ts";
import { parseKeySet, parseNext } from "./keys/key-set.ts";
import { KeySets } from "./keys/key-sets.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import { parseLimits } from "./limits.ts";
import type { Dependencies } from "./limits.ts";
import { readItems, readOptions } from "./options.ts";
import type { VaultOptions } from "./options.ts";
import { parseAddress, parseCollection } from "./records/address.ts";
import type { AddressInput } from "./records/address.ts";
import { typedCollection } from "./records/collection.ts";
import type { NotList, RecordOperations, Storable, StorableMembers, TypedCollection } from "./records/collection.ts";
import type { JsonObject } from "./records/document.ts";
import { collections, list } from "./records/pages.ts";
import { PreparedWrites } from "./records/prepared.ts";
import type { PreparedWrite } from "./records/prepared.ts";
import type { CollectionCount, ListOptions, ListResult } from "./records/pages.ts";
import { putMany } from "./records/put-many.ts";
import type { PutManyItem, PutManyOptions, PutManyResult } from "./records/put-many.ts";
import { get, history } from "./records/read.ts";
import type { GetOptions, VaultRecord, VersionInfo } from "./records/read.ts";
import { put, remove } from "./records/write.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./records/write.ts";
import { DebtLook, DebtView, wrapDebt } from "./repair/debt.ts";
import type { DebtSeen, WrapDebt } from "./repair/debt.ts";
import { debts } from "./repair/debts.ts";
import type { DebtPage } from "./repair/debts.ts";
import { repairableVersions } from "./repair/repair-version.ts";
import { RepairCounters } from "./repair/repair-worker.ts";
import type { RepairStatus } from "./repair/repair-worker.ts";
import { Repairs } from "./repair/repairs.ts";
import type { RepairOptions } from "./repair/repairs.ts";

/** An open vault. */
export interface Vault {
  /**
   * Writes a new version of a record, of the document as it is at the call. A value of an interface is a document too;
   * what JSON cannot hold is refused by the compiler as far as it can tell, and by the vault.
   *
   * @throws VaultError `vault-option-invalid`, `id-invalid`, `collection-invalid`, `subject-invalid`,
   *   `document-invalid`, `document-too-large`, `version-conflict`, `record-contended`, `wraps-below-minimum`,
   *   `deadline-exceeded`, `keyring-overloaded`, `aborted`, `key-set-unknown`, `store-newer`, `store-full`,
   *   `store-failed`; the `record-…` codes when the rows it would build on are not as they were written. Nothing is
   *   stored then. `outcome-unknown`: the store was lost while it wrote, and did not come back in time to be asked.
   */
  put<Document extends object>(
    address: AddressInput,
    document: JsonObject | (Document & Storable<Document>),
    options?: PutOptions,
  ): Promise<PutResult>;
  /**
   * Writes many records: in one transaction where the store can do that (`capabilities.atomicUnits`), so that all of
   * them are stored or none; where it cannot, each record is a transaction of its own, and when the batch fails some of
   * its records may be stored. A record whose id comes twice gets its versions in one transaction on every store.
   *
   * @throws VaultError what is not about one item, `batch-too-large`, `record-contended`, `key-set-unknown`,
   *   `outcome-unknown`
   */
  putMany<Document extends object>(
    collection: string,
    items: readonly PutManyItem<JsonObject | (Document & Storable<Document>)>[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]>;
  /**
   * Reads one version of a record. Nothing is given back that is not authentic, of this address and of this version.
   *
   * @throws VaultError `record-absent`, `version-absent`, `record-moved`, `record-moved-collection`,
   *   `record-moved-subject`, `record-rolled-back`, `record-tampered`, `key-not-configured`, `regions-unavailable`,
   *   `deadline-exceeded`, `keyring-overloaded`, `aborted`
   */
  get(address: AddressInput, options?: GetOptions): Promise<VaultRecord>;
  /**
   * Does everything of a `put` that needs keys or the network, and stores nothing: {@link Vault.withTransaction} then
   * makes it. Call it before the transaction begins, and not within.
   *
   * @throws VaultError as `put` does
   */
  prepare<Document extends object>(
    address: AddressInput,
    document: JsonObject | (Document & Storable<Document>),
    options?: PutOptions,
  ): Promise<PreparedWrite>;
  /**
   * Makes prepared writes within a transaction that the caller began on `client`, and ends: all of them or, with an
   * error, none. Whether they are stored is decided by the caller's commit alone. No KMS is called and nothing is
   * waited for but the database.
   *
   * After an error of the vault's own the transaction is as it was before and may go on; what was prepared is used up
   * in any case. Errors of the database itself, such as a serialization failure, come through as they are. What is owed
   * by these writes is repaired after the commit, at the latest after the repair's interval.
   *
   * @param client of the store's database, connected, and in a transaction: for PostgreSQL, a client of `pg`
   * @throws VaultError `transaction-refused`, `version-conflict`, `record-contended`, `key-set-moved`,
   *   `batch-too-large`; `vault-option-invalid` for what this vault has not prepared, has made before, or has prepared
   *   more than a minute ago
   * @example
   * ```ts
   * import type { Vault } from "@strongroom/vault";
   *
   * interface Client {
   *   query(sql: string, values?: unknown[]): Promise<unknown>;
   * }
   *
   * async function placeOrder(vault: Vault, client: Client, id: string, buyer: { name: string }): Promise<void> {
   *   const prepared = await vault.prepare({ collection: "buyers", id }, buyer);
   *   await client.query("begin");
   *   try {
   *     await client.query("insert into orders (id) values ($1)", [id]);
   *     await vault.withTransaction(client, [prepared]);
   *     await client.query("commit");
   *   } catch (error) {
   *     await client.query("rollback");
   *     throw error;
   *   }
   * }
   * console.log(typeof placeOrder); // prints: function
   * ```
   */
  withTransaction(client: unknown, prepared: readonly PreparedWrite[]): Promise<readonly PutResult[]>;
  /**
   * All versions of a record, newest first, unopened. A long history is read by pages, which are no snapshot together.
   *
   * @throws VaultError `record-absent`
   */
  history(address: AddressInput): Promise<readonly VersionInfo[]>;
  /**
   * Removes a record: the messages of all versions go, the number of the last one stays so that none is used twice.
   * Without an expectation it also removes a record whose rows no longer fit together.
   *
   * @throws VaultError `record-absent`, `version-conflict`, `record-contended`
   */
  remove(address: AddressInput, options?: RemoveOptions): Promise<RemoveResult>;
  /**
   * One collection, typed: its calls take an id for an address, and documents of the type `Document`. The type is the
   * caller's claim; nothing is checked against it when a document is read or written.
   *
   * @throws VaultError `collection-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { sqliteStore } from "@strongroom/vault/sqlite";
   *
   * interface User {
   *   name: string;
   *   born?: number;
   * }
   *
   * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
   * await using vault = await openVault({ store: await sqliteStore("vault.sqlite"), keyring });
   * const users = vault.collection<User>("users");
   * await users.put("42", { name: "Ada Lovelace", born: 1815 });
   * const { document } = await users.get("42");
   * console.log(document.name, document.born); // prints: Ada Lovelace 1815
   * ```
   */
  collection<Document extends StorableMembers<Document> & NotList = JsonObject>(
    name: string,
  ): TypedCollection<Document>;
  /**
   * Ids of a collection in the order of their UTF-8 bytes. @throws VaultError `collection-absent`, `cursor-invalid`,
   * `limit-invalid`
   */
  list(collection: string, options?: ListOptions): Promise<ListResult>;
  /** Every collection that ever had a record. */
  collections(): Promise<readonly CollectionCount[]>;
  /**
   * Versions and keys that have fewer wraps than they should, counted now. Costs what is owed: a health check or a metric asks
   * {@link Vault.debtSeen}.
   */
  wrapDebt(): Promise<WrapDebt>;
  /**
   * What the repair has last seen to be owed; null before its first look. Never waits for the store: without a repair
   * it looks in the background, at most once in 30 s.
   */
  debtSeen(): DebtSeen | null;
  /**
   * Which keys and versions owe wraps: keys first, each in an order that is the store's own. A cursor is of the stores
   * that gave it out, and of what was owed then: what is repaired meanwhile is not seen, what becomes owed may be.
   *
   * @throws VaultError `cursor-invalid`, `limit-invalid`
   */
  debts(options?: ListOptions): Promise<DebtPage>;
  /** What long work there is, in all processes: how far it is, what failed and why, who does it. */
  jobs(): Promise<readonly JobSummary[]>;
  /** Which key set is in force, and which this vault knows, asked anew. @throws VaultError `store-newer` */
  keySet(): Promise<KeySetStatus>;
  /**
   * Puts the vault's `next` key set in force, in all processes; of a vault that was opened with one set, that one. Once
   * it resolves, no write that was sealed under the set of before is stored any more. It is done when that set is in
   * force already.
   *
   * Every process must know the next set before: one that does not refuses to write from then on.
   *
   * @throws VaultError `key-set-unknown` when there is a next set, and the one in force is neither of the two;
   *   `key-set-moved` when another process changed it meanwhile; `store-newer`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { sqliteStore } from "@strongroom/vault/sqlite";
   *
   * const keyringOf = (keyName: string) =>
   *   rawAesKeyring({ keyNamespace: "example", keyName, wrappingKey: randomBytes(32) });
   * const next = { keyring: keyringOf("2027"), keySet: ["2027"] };
   * const store = await sqliteStore("vault.sqlite");
   * await using vault = await openVault({ store, keyring: keyringOf("2026"), keySet: ["2026"], next });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" });
   * console.log((await vault.flipKeySet()).state); // prints: next
   * console.log((await vault.get({ collection: "people", id: "1" })).document["name"]); // prints: Ada
   * ```
   */
  flipKeySet(): Promise<KeySetStatus>;
  /** What the repair of owed wraps has done in this process. */
  repairStatus(): RepairStatus;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** Lets a repair under way end, then closes the store. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a vault over a store and a keyring. Close it, or declare it with `await using`: that also closes the store.
 *
 * @throws VaultError `vault-option-invalid`, `limit-invalid`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { sqliteStore } from "@strongroom/vault/sqlite";
 *
 * await using vault = await openVault({
 *   store: await sqliteStore("vault.sqlite"),
 *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
 * });
 * const ada = { collection: "people", id: "C000127" };
 * await vault.put(ada, { name: "Ada Lovelace" }, { subject: "person-8f14e45f" });
 * console.log((await vault.get(ada)).document["name"]); // prints: Ada Lovelace
 * ```
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const {
    store,
    keyring,
    keySet,
    next,
    clock = () => new Date(),
    limits: given,
    repair: repairing,
  } = readOptions.vault(options);
  const current = parseKeySet(keyring, keySet);
  const keys = new KeySets(store.gate, current, next === undefined ? null : parseNext(next, current));
  const dependencies = { store, keys, clock, limits: parseLimits(given), turns: new Turns() };
  const look = new DebtLook(store.inventory, clock);
  const repair = repairing === undefined ? null : repairs(dependencies, { look, options: repairing });
  return new RecordVault(dependencies, new DebtView([look]), repair);
}

function repairs(
  dependencies: Dependencies,
  { look, options }: { readonly look: DebtLook; readonly options: RepairOptions },
): Repairs {
  const repairable = repairableVersions({ ...dependencies, signal: options.signal });
  return new Repairs({ versions: { repairable, look }, keys: null }, dependencies.clock, options);
}

class RecordVault implements Vault {
  readonly #dependencies: Dependencies;
  readonly #debt: DebtView;
  readonly #repair: Repairs | null;
  readonly #records: RecordOperations;
  readonly #prepared: PreparedWrites;

  constructor(dependencies: Dependencies, debt: DebtView, repair: Repairs | null) {
    this.#dependencies = dependencies;
    this.#debt = debt;
    this.#repair = repair;
    this.#prepared = new PreparedWrites(dependencies);
    this.#records = {
      put: async (address, document, options) =>
        this.#owing(await put(dependencies, address, document, readOptions.put(options))),
      putMany: async (collection, items, options) => {
        const results = await putMany(dependencies, collection, readItems(items), readOptions.putMany(options));
        for (const result of results) if ("wraps" in result) this.#owing(result);
        return results;
      },
      prepare: (address, document, options) => this.#prepared.prepare(address, document, readOptions.put(options)),
      get: (address, options) => get(dependencies, address, readOptions.get(options)),
      history: (address) => history(dependencies, address),
      remove: (address, options) => remove(dependencies, address, readOptions.remove(options)),
      list: (collection, options) => list(dependencies, collection, readOptions.list(options)),
    };
  }

  async put(address: AddressInput, document: object, options: PutOptions = {}): Promise<PutResult> {
    return this.#records.put(parseAddress(address), document as JsonObject, options);
  }

  async putMany(
    collection: string,
    items: readonly PutManyItem<object>[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]> {
    return this.#records.putMany(parseCollection(collection), items as readonly PutManyItem[], options);
  }

  async prepare(address: AddressInput, document: object, options: PutOptions = {}): Promise<PreparedWrite> {
    return this.#records.prepare(parseAddress(address), document as JsonObject, options);
  }

  async withTransaction(client: unknown, prepared: readonly PreparedWrite[]): Promise<readonly PutResult[]> {
    return this.#prepared.make(client, prepared);
  }

  async get(address: AddressInput, options: GetOptions = {}): Promise<VaultRecord> {
    return this.#records.get(parseAddress(address), options);
  }

  async history(address: AddressInput): Promise<readonly VersionInfo[]> {
    return this.#records.history(parseAddress(address));
  }

  async remove(address: AddressInput, options: RemoveOptions = {}): Promise<RemoveResult> {
    return this.#records.remove(parseAddress(address), options);
  }

  collection<Document extends object>(name: string): TypedCollection<Document> {
    return typedCollection(this.#records, parseCollection(name));
  }

  async list(collection: string, options: ListOptions = {}): Promise<ListResult> {
    return this.#records.list(parseCollection(collection), options);
  }

  async collections(): Promise<readonly CollectionCount[]> {
    return collections(this.#dependencies);
  }

  async wrapDebt(): Promise<WrapDebt> {
    return wrapDebt([this.#dependencies.store.inventory]);
  }

  debtSeen(): DebtSeen | null {
    return this.#debt.seenOrSoon();
  }

  async debts(options: ListOptions = {}): Promise<DebtPage> {
    const sources = { keys: null, versions: this.#dependencies.store.inventory };
    return debts(this.#dependencies, sources, readOptions.list(options));
  }

  async jobs(): Promise<readonly JobSummary[]> {
    return jobs([this.#dependencies.store.jobs]);
  }

  async keySet(): Promise<KeySetStatus> {
    return this.#dependencies.keys.status();
  }

  async flipKeySet(): Promise<KeySetStatus> {
    return this.#dependencies.keys.flip();
  }

  repairStatus(): RepairStatus {
    return this.#repair?.status() ?? new RepairCounters().status("off");
  }

  async ping(): Promise<void> {
    await this.#dependencies.store.ping();
  }

  async close(): Promise<void> {
    await this.#repair?.stop();
    await this.#debt.ended();
    await this.#dependencies.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A write that owes a wrap wakes the repair. */
  #owing<Written extends Pick<PutResult, "wraps">>(written: Written): Written {
    if (written.wraps.missing.length > 0) this.#repair?.wake();
    return written;
  }
}
