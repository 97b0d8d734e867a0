/**
 * Opens a vault: puts its parts together. Each call parses the address that it is given and hands over to `records/`;
 * what is owed after a write wakes the repair.
 */
import { Turns } from "@strongroom/base/work";
import type { Keyring } from "@strongroom/envelope";
import { parseCollections } from "./collections/declaration.ts";
import { VaultError } from "./errors.ts";
import { jobs } from "./jobs.ts";
import type { JobSummary } from "./jobs.ts";
import { parseKeySet, parseNext } from "./keys/key-set.ts";
import type { KeySet } from "./keys/key-set.ts";
import { KeySets } from "./keys/key-sets.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import { openSubjectKeys } from "./keys/open-subject-keys.ts";
import { KeyCostMeter } from "./keys/cost.ts";
import type { KeyCost } from "./keys/cost.ts";
import { bindStores, requireNoKeyStore } from "./keys/pair.ts";
import type { KeyDependencies } from "./keys/region-wraps.ts";
import type { SubjectKeyCounts, SubjectKeys } from "./keys/subject-keys.ts";
import { parseLimits } from "./limits.ts";
import type { Dependencies } from "./limits.ts";
import { parseKeys, readItems, readOptions } from "./options.ts";
import type { ParsedKeysOptions, VaultOptions } from "./options.ts";
import { parseAddress, parseCollection } from "./records/address.ts";
import type { AddressInput } from "./records/address.ts";
import { typedCollection } from "./records/collection.ts";
import type { RecordOperations, TypedCollection } from "./records/collection.ts";
import type { JsonObject } from "./records/document.ts";
import { collections, list } from "./records/pages.ts";
import { PreparedWrites } from "./records/prepared.ts";
import type { PreparedWrite } from "./records/prepared.ts";
import type { CollectionCount, ListOptions, ListResult } from "./records/pages.ts";
import { putMany } from "./records/put-many.ts";
import type { PutManyResult } from "./records/batch-plan.ts";
import type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
import { get, history } from "./records/read.ts";
import type { GetOptions, VaultRecord, VersionInfo } from "./records/read.ts";
import { RowAddresses } from "./records/row-addresses.ts";
import { put, remove } from "./records/write.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./records/write.ts";
import { DebtLook, DebtView, wrapDebt } from "./repair/debt.ts";
import type { DebtSeen, WrapDebt } from "./repair/debt.ts";
import { debts } from "./repair/debts.ts";
import type { DebtPage } from "./repair/debts.ts";
import { repairableKeys } from "./repair/repair-key.ts";
import { repairableVersions } from "./repair/repair-version.ts";
import { RepairCounters } from "./repair/repair-worker.ts";
import type { RepairStatus } from "./repair/repair-worker.ts";
import { Repairs } from "./repair/repairs.ts";
import type { RepairOptions } from "./repair/repairs.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Store } from "./stores/store.ts";
import { subjectsOf } from "./subjects/subjects.ts";
import type { Subjects } from "./subjects/subjects.ts";
import type { Vault } from "./vault.ts";

/**
 * Opens a vault over a store and a keyring, and over a key store where people are to have keys of their own. Close it,
 * or declare it with `await using`: that also closes the stores. When it throws it has closed neither.
 *
 * @throws VaultError `vault-option-invalid`, `limit-invalid`; `key-store-foreign`, `key-store-lost`,
 *   `key-store-behind` when the two stores do not belong together, or the store has a key store and none is given;
 *   `store-newer`; the stores'
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
  const given = readOptions.vault(options);
  const { store, clock = () => new Date(), repair: repairing } = given;
  const current = parseKeySet(given.keyring, given.keySet);
  const next = given.next === undefined ? null : parseNext(given.next, current);
  const keys = new KeySets(store.gate, current, next);
  const limits = parseLimits(given.limits);
  const people = given.keys === undefined ? null : parseKeys(given.keys);
  if (people === null && given.collections !== undefined)
    throw new VaultError("vault-option-invalid", "collections are declared of a vault with a key store only (keys)");
  const declarations = parseCollections(given.collections, people?.scope ?? "record");
  const cost = people === null ? null : meterOf(people, { current, keyring: given.keyring, clock });
  const keyParts = people === null ? null : await openKeys(people, { store, keys, current, next, clock, cost });
  if (people === null) await requireNoKeyStore(store);
  const subjectKeys = keyParts?.subjectKeys ?? null;
  const rowAddresses = new RowAddresses({ store, subjectKeys, declarations });
  const turns = new Turns();
  const dependencies = { store, keys, subjectKeys, declarations, rowAddresses, cost, clock, limits, turns };
  const looks = [store, ...(people === null ? [] : [people.store])].map(
    ({ inventory }) => new DebtLook(inventory, clock),
  );
  const repair = repairing === undefined ? null : repairs(dependencies, keyParts, { looks, options: repairing });
  return new RecordVault(dependencies, new DebtView(looks), repair, people?.store ?? null);
}

/** What the keys of people hang on besides their own options. */
interface OfRecords extends Pick<Dependencies, "store" | "keys" | "clock" | "cost"> {
  readonly current: KeySet;
  readonly next: KeySet | null;
}

/** Without a keyring of their own they are wrapped by that of the records, under the same key sets. */
async function openKeys(
  { store, keyring, keySet, next, generation, cache }: ParsedKeysOptions,
  records: OfRecords,
): Promise<KeyParts> {
  const current = keyring === undefined ? records.current : parseKeySet(keyring, keySet);
  const following = next === undefined ? null : parseNext(next, current);
  await records.keys.requireReader();
  const vault = await bindStores(records.store, store);
  const keySets = new KeySets(store.gate, current, keyring === undefined ? records.next : following);
  const dependencies = { store, vault, keySets, generation, clock: records.clock };
  return { dependencies, subjectKeys: openSubjectKeys({ ...dependencies, cache, cost: records.cost }) };
}

function meterOf(
  { cache, keyring: ofKeys }: ParsedKeysOptions,
  { current, keyring, clock }: Pick<OfRecords, "current" | "clock"> & { readonly keyring: Keyring },
): KeyCostMeter {
  const keyrings = ofKeys === undefined ? [keyring] : [keyring, ofKeys];
  return new KeyCostMeter({ cache, regions: current.names?.length ?? 1, keyrings, clock });
}

/** The keys of people, and what they are made of. */
interface KeyParts {
  readonly dependencies: KeyDependencies;
  readonly subjectKeys: SubjectKeys;
}

function repairs(
  dependencies: Dependencies,
  keys: KeyParts | null,
  { looks, options }: { readonly looks: readonly DebtLook[]; readonly options: RepairOptions },
): Repairs {
  const { signal } = options;
  const [ofVersions = new DebtLook(dependencies.store.inventory, dependencies.clock), ofKeys] = looks;
  const stores = {
    versions: { repairable: repairableVersions({ ...dependencies, signal }), look: ofVersions },
    keys:
      keys === null || ofKeys === undefined
        ? null
        : { repairable: repairableKeys({ ...keys.dependencies, signal }), look: ofKeys },
  };
  return new Repairs(stores, dependencies.clock, options);
}

class RecordVault implements Vault {
  readonly #dependencies: Dependencies;
  readonly #debt: DebtView;
  readonly #repair: Repairs | null;
  readonly #records: RecordOperations;
  readonly #prepared: PreparedWrites;
  readonly #keyStore: KeyStore | null;
  readonly subjects: Subjects;

  constructor(dependencies: Dependencies, debt: DebtView, repair: Repairs | null, keyStore: KeyStore | null) {
    this.#dependencies = dependencies;
    this.#keyStore = keyStore;
    const people = subjectsOf(dependencies);
    this.subjects = {
      state: async (name, options) => people.state(name, readOptions.subject(options ?? {})),
      restrict: async (name, options) => people.restrict(name, readOptions.subject(options ?? {})),
      release: async (name, options) => people.release(name, readOptions.subject(options ?? {})),
      renewKey: async (name, options) => people.renewKey(name, readOptions.subject(options ?? {})),
      records: async (name, options) => people.records(name, readOptions.subjectList(options ?? {})),
    };
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
    return wrapDebt(this.#stores.map(({ inventory }) => inventory));
  }

  debtSeen(): DebtSeen | null {
    return this.#debt.seenOrSoon();
  }

  async debts(options: ListOptions = {}): Promise<DebtPage> {
    const sources = { keys: this.#keyStore?.inventory ?? null, versions: this.#dependencies.store.inventory };
    return debts(this.#dependencies, sources, readOptions.list(options));
  }

  async jobs(): Promise<readonly JobSummary[]> {
    return jobs(this.#stores.map((store) => store.jobs));
  }

  async keySet(): Promise<KeySetStatus> {
    return this.#dependencies.keys.status();
  }

  async flipKeySet(): Promise<KeySetStatus> {
    return this.#dependencies.keys.flip();
  }

  subjectKeys(): SubjectKeyCounts | null {
    return this.#dependencies.subjectKeys?.counts() ?? null;
  }

  keyCost(): KeyCost | null {
    return this.#dependencies.cost?.report() ?? null;
  }

  repairStatus(): RepairStatus {
    return this.#repair?.status() ?? new RepairCounters().status("off");
  }

  async ping(): Promise<void> {
    await Promise.all([this.#dependencies.store.ping(), this.#keyStore?.ping()]);
  }

  async close(): Promise<void> {
    await this.#repair?.stop();
    await this.#debt.ended();
    this.#dependencies.subjectKeys?.close();
    // Both, whatever becomes of one.
    const closed = await Promise.allSettled([this.#dependencies.store.close(), this.#keyStore?.close()]);
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #stores(): readonly (Store | KeyStore)[] {
    return this.#keyStore === null ? [this.#dependencies.store] : [this.#dependencies.store, this.#keyStore];
  }

  /** A write that owes a wrap wakes the repair. */
  #owing<Written extends Pick<PutResult, "wraps">>(written: Written): Written {
    if (written.wraps.missing.length > 0) this.#repair?.wake();
    return written;
  }
}
