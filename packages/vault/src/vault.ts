/**
 * The vault's face: documents in, documents out, and between them nothing but messages.
 */
import type { Approvals } from "./approvals/approvals.ts";
import type { Actor } from "./audit/auditor.ts";
import type { VaultAudit } from "./audit/view.ts";
import type { JobSummary } from "./jobs.ts";
import type { CollectionHandle } from "./collections/handle.ts";
import type { Erasures } from "./erasure/erasures.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import type { KeyCost } from "./keys/cost.ts";
import type { SubjectKeyCounts } from "./keys/subject-keys.ts";
import type { AddressInput } from "./records/address.ts";
import type { NotList, Storable, StorableMembers, TypedCollection } from "./records/collection.ts";
import type { JsonObject } from "./records/document.ts";
import type { PreparedWrite } from "./records/prepared.ts";
import type { CollectionCount, ListOptions, ListResult } from "./records/pages.ts";
import type { PutManyResult } from "./records/batch-plan.ts";
import type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
import type { VersionInfo } from "./records/read.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./records/write.ts";
import type { FindExplanation, FindOptions, FoundCount } from "./search/find.ts";
import type { FindQuery } from "./search/query.ts";
import type { VaultIndexes } from "./search/vault-indexes.ts";
import type { DebtSeen, WrapDebt } from "./convergence/debt.ts";
import type { DebtPage } from "./convergence/debts.ts";
import type { Convergence } from "./convergence/view.ts";
import type { RepairStatus } from "./convergence/worker.ts";
import type { KeySetInput } from "./keys/key-set.ts";
import type { Retention } from "./retention/retention.ts";
import type { Rights } from "./rights/rights.ts";
import type { Roles } from "./roles/access.ts";
import type { Policy } from "./roles/policy.ts";
import type { ReadOptions, ShownFindOptions } from "./roles/read-options.ts";
import type { ShownPage, ShownRecord } from "./roles/shown.ts";
import type { SealedRecord } from "./sealed/sealed-fields.ts";
import type { Subjects } from "./subjects/subjects.ts";
import type { VerifyOptions, VerifyReport } from "./verify/report.ts";

/** The calls of a vault on behalf of one caller. */
export interface ActingVault {
  /**
   * Writes a new version of a record, of the document as it is at the call; for a caller whose roles see or write a
   * part of documents, of what is stored with the fields of the document over it. A value of an interface is a document
   * too; what JSON cannot hold is refused by the compiler as far as it can tell, and by the vault.
   *
   * @throws VaultError `vault-option-invalid`, `id-invalid`, `collection-invalid`, `subject-invalid`, `tenant-invalid`,
   *   `not-permitted`, `field-forbidden`, `value-masked`,
   *   `subject-differs`, `subject-missing`, `subject-restricted`, `subject-erased`, the `subject-key-…` codes,
   *   `collection-differs`, `document-invalid`, `document-too-large`, `version-conflict`, `record-contended`,
   *   `wraps-below-minimum`,
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
   * Reads one version of a record. Nothing is given back that is not authentic, of this address and of this version;
   * of the document what the caller may see. With `sealed`, the values of fields that the collection declares come as
   * {@link Sealed}.
   *
   * @throws VaultError `not-permitted`, `field-forbidden`, `fields-invalid`,
   *   `record-absent`, `version-absent`, `record-moved`, `record-moved-collection`,
   *   `record-moved-subject`, `record-rolled-back`, `record-tampered`, `subject-restricted`, `subject-erased`,
   *   `subject-name-absent`, `subject-key-absent`, `subject-key-tampered`, `collection-differs`, `key-not-configured`,
   *   `regions-unavailable`, `deadline-exceeded`, `keyring-overloaded`, `aborted`
   */
  get(address: AddressInput, options: ReadOptions & { readonly sealed: true }): Promise<SealedRecord>;
  get(address: AddressInput, options?: ReadOptions): Promise<ShownRecord>;
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
   *   `subject-restricted`, `subject-erased`, `subject-key-set-back`, `batch-too-large`; `vault-option-invalid` for
   *   what this vault has not prepared, has made before, or has prepared more than a minute ago
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
   * A declared collection, with the types of its declaration. What is in force is what the vault's options declare.
   *
   * @throws VaultError `collection-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { defineCollection, openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   * import { email } from "@strongroom/vault/normalisers";
   *
   * const customers = defineCollection("customers", { fields: { email: { find: email(), unique: true } } });
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
   *   keys: { store: memoryKeyStore() },
   *   collections: [customers],
   * });
   * await vault.collection(customers).put("1", { email: "Ada@Example.com" });
   * const { items } = await vault.collection(customers).find({ email: "ada@example.com" });
   * console.log(items.length, items[0]?.id); // prints: 1 1
   * ```
   */
  collection<Document extends object, Input extends object, Found extends string>(
    declared: CollectionHandle<Document, Input, Found>,
  ): TypedCollection<Document, Input, Found>;
  /**
   * Records by the values of fields that the collection declares with `find`: those that meet all of the query. Values
   * are found in whichever spelling they are written, as the field's normaliser has it. Each record is opened and
   * compared before it is given out, at most `limit` of them for a page. What was looked for is in the audit by the
   * names of its fields, also where nothing was found; every record that is given out is told as a read.
   *
   * @throws VaultError `not-permitted`, `field-forbidden`, `fields-invalid`, `find-invalid`, `index-not-ready`,
   *   `cursor-invalid`, `limit-invalid`, `tenant-invalid`, `vault-option-invalid`, `record-contended`
   *   and what opening a key throws
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   * import { date, phone } from "@strongroom/vault/normalisers";
   *
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
   *   keys: { store: memoryKeyStore() },
   *   collections: {
   *     people: { fields: { phones: { find: phone({ country: "DE" }) }, born: { find: date(), buckets: "month" } } },
   *   },
   * });
   * await vault.put({ collection: "people", id: "1" }, { phones: ["+49 30 1234567"], born: "1986-03-01" });
   * const born = { from: "1986-01-01", to: "1987-12-31" };
   * const found = await vault.find("people", { phones: "030 1234567", born });
   * console.log(found.items.map(({ id }) => id)); // prints: [ '1' ]
   * ```
   */
  find(collection: string, query: FindQuery, options?: ShownFindOptions): Promise<ShownPage>;
  /**
   * How many records have the tags of a query, counted up to 10,000 and without opening any: an upper bound of what is
   * found, and nothing proves it.
   *
   * @throws VaultError as `find` does
   */
  countFound(
    collection: string,
    query: FindQuery,
    options?: Pick<FindOptions, "tenant" | "signal">,
  ): Promise<FoundCount>;
  /** By which indexes a query is answered, and what is compared only then. @throws VaultError as `find` does */
  explainFind(collection: string, query: FindQuery): Promise<FindExplanation>;
  /**
   * Ids of a collection in the order of their UTF-8 bytes; where ids are sealed, in no order.
   *
   * @throws VaultError `collection-absent`, `collection-differs`, `cursor-invalid`, `limit-invalid`
   */
  list(collection: string, options?: ListOptions): Promise<ListResult>;
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
  /**
   * Which keys and versions owe wraps, in an order that is the store's own. A cursor is of the store that gave it out,
   * and of what was owed then: what is repaired meanwhile is not seen, what becomes owed may be.
   *
   * @throws VaultError `cursor-invalid`, `limit-invalid`
   */
  debts(options?: ListOptions): Promise<DebtPage>;
  /** What is stored beside the key sets and scopes that are declared, and runs that bring the one to the other. */
  readonly convergence: Convergence;
  /** The people that records are about: whether they may be read and written about, their records and their keys. */
  readonly subjects: Subjects;
  /** Removes what has stayed as long as its collection declares. */
  readonly retention: Retention;
  /** What people may ask of whoever keeps their data; null: the vault has no audit. */
  readonly rights: Rights | null;
  /** What records are found by: what is declared, what there is, and the work that brings the one to the other. */
  readonly indexes: VaultIndexes;
  /** Erasures of people and legal holds; null: the vault has no audit, without which nobody is erased. */
  readonly erasure: Erasures | null;
  /** What two principals must agree on; null: the vault has no audit, and nothing to sign a request with. */
  readonly approvals: Approvals | null;
  /** The audit's log, asked on behalf of the same caller; null: the vault has no audit. */
  readonly audit: VaultAudit | null;
}

/** An open vault. */
export interface Vault extends ActingVault {
  /**
   * The same vault on behalf of somebody: what they read, write and are refused is in the audit as theirs. Calls of the
   * vault itself are those of the option `audit.principal`. Without an audit there is nobody to be told of.
   *
   * @param roles what they may: with a list of roles, what no role of it allows is refused. Left out: everything
   * @throws VaultError `audit-actor-invalid`, `vault-option-invalid`
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
   *   keys: { store: memoryKeyStore() },
   *   collections: { people: { purposes: ["support", "billing"] } },
   *   audit: { log: memoryAuditLog() },
   * });
   * const clerk = vault.as({ principal: "token:7f3a", purpose: "support", ticket: "T-1042" });
   * await clerk.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * console.log((await clerk.get({ collection: "people", id: "1" })).document["name"]); // prints: Ada
   * ```
   */
  as(actor: Actor, roles?: Roles): ActingVault;
  /** What roles may, those of the option `roles` and those that are always there. */
  readonly policy: Policy;
  /** Every collection that ever had a record. */
  collections(): Promise<readonly CollectionCount[]>;
  /**
   * Versions that have fewer wraps than they should, counted now. Costs what is owed: a health check or a metric asks
   * {@link Vault.debtSeen}.
   */
  wrapDebt(): Promise<WrapDebt>;
  /**
   * What the repair has last seen to be owed; null before its first look. Never waits for the store: without a repair
   * it looks in the background, at most once in 30 s.
   */
  debtSeen(): DebtSeen | null;
  /** What long work there is, in all processes: how far it is, what failed and why, who does it. */
  jobs(): Promise<readonly JobSummary[]>;
  /** Which key set is in force, and which this vault knows, asked anew. @throws VaultError `store-newer` */
  keySet(): Promise<KeySetStatus>;
  /**
   * Gives the vault another next key set while it is open, as the option `next` does when it is opened: nothing is put
   * in force. What it knew before it reads and writes still.
   *
   * @param next of the records; of the key store, where that has a keyring of its own: otherwise `records` is for both
   * @throws VaultError `vault-option-invalid`, `store-newer`; the stores'
   */
  learnKeySets(next: { readonly records?: KeySetInput; readonly keys?: KeySetInput }): Promise<void>;
  /** What the opened keys of people in memory have spared, and how many there are; null without a key store. */
  subjectKeys(): SubjectKeyCounts | null;
  /**
   * Calls of a KMS that the traffic of this process has come to since the vault was opened, and those that the same
   * traffic would come to in each scope; null without a key store.
   */
  keyCost(): KeyCost | null;
  /**
   * Opens all that the vault keeps, or a sample, and holds it against the audit: what reads would refuse, and what no
   * read comes upon, as records and versions that are gone. It gives nothing of it out, changes nothing unless it is
   * told to, and may run beside everything else. One entry of the audit before it, and one after.
   *
   * @throws VaultError `vault-option-invalid`, `cursor-invalid`, `collection-invalid`, `collection-absent`, `aborted`,
   *   `audit-unavailable`, `keyring-overloaded`; the stores'. What is wrong with a record or a key is in the report.
   * @example
   * ```ts
   * import { randomBytes } from "node:crypto";
   * import { rawAesKeyring } from "@strongroom/envelope";
   * import { openVault } from "@strongroom/vault";
   * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
   *
   * await using vault = await openVault({
   *   store: memoryStore(),
   *   keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
   *   keys: { store: memoryKeyStore() },
   *   audit: { log: memoryAuditLog() },
   * });
   * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
   * const { verdict, looked } = await vault.verify();
   * console.log(verdict, looked.records, looked.versions); // prints: whole 1 1
   * ```
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /** What the repair of owed wraps has done in this process. */
  repairStatus(): RepairStatus;
  /**
   * Resolves when the store answers, and the key store, and the log of the audit.
   *
   * @throws VaultError the stores'; `audit-unavailable`: of the log, with what it said as the cause
   */
  ping(): Promise<void>;
  /** Lets a repair under way end, wipes the keys in memory, then closes the store and the key store. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
