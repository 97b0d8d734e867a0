/**
 * @strongroom/vault/store-contract: the tests that every store passes, of records, of keys and of the audit's log, for
 * stores of your own. They need node:test.
 */
import type { AuditLog } from "./stores/audit-log.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Capabilities } from "./stores/store.ts";
import { callerEntriesContract } from "./store-contract/caller-entries.ts";
import { callerTransactionContract } from "./store-contract/caller-transaction.ts";
import { capabilitiesContract } from "./store-contract/capabilities.ts";
import { checkpointContract } from "./store-contract/checkpoint.ts";
import { concurrencyContract } from "./store-contract/concurrency.ts";
import { contractOn } from "./store-contract/contract.ts";
import type { Contract, ContractOptions, NewStorage, StoreContractOptions } from "./store-contract/contract.ts";
import { flipsContract, gateRowContract } from "./store-contract/gate-row.ts";
import { gateContract } from "./store-contract/gate.ts";
import { entriesTogetherContract } from "./store-contract/entries-together.ts";
import { fillingsContract, tagsGoContract } from "./store-contract/fillings.ts";
import { findContract } from "./store-contract/finding.ts";
import { indexesContract } from "./store-contract/indexes.ts";
import { failuresContract, inventoryContract } from "./store-contract/inventory.ts";
import { jobsContract } from "./store-contract/jobs.ts";
import { creationsContract, keyGateContract, keyLimitsContract } from "./store-contract/key-creations.ts";
import { erasureContract } from "./store-contract/key-erasure.ts";
import { keyFailuresContract, keyInventoryContract } from "./store-contract/key-inventory.ts";
import { ownersContract } from "./store-contract/key-owners.ts";
import { keyGenerationsContract } from "./store-contract/key-generations.ts";
import { keyMovesContract } from "./store-contract/key-moves.ts";
import { keysContract } from "./store-contract/key-rows.ts";
import { keptChangesContract, keptContract } from "./store-contract/kept.ts";
import { listsContract, strongListsContract } from "./store-contract/lists.ts";
import { logAddressesContract } from "./store-contract/log-addresses.ts";
import { logForgetContract } from "./store-contract/log-forget.ts";
import { logLimitsContract } from "./store-contract/log-limits.ts";
import { logQueriesContract } from "./store-contract/log-queries.ts";
import { logContract } from "./store-contract/log.ts";
import { notesContract } from "./store-contract/notes.ts";
import { outcomeContract } from "./store-contract/outcome.ts";
import { outboxPeopleContract } from "./store-contract/outbox-people.ts";
import { outboxQueueContract } from "./store-contract/outbox-queue.ts";
import { outboxStreamsContract } from "./store-contract/outbox-streams.ts";
import { outboxContract, outboxLimitsContract } from "./store-contract/outbox.ts";
import { peopleOfRecordsContract } from "./store-contract/people-of-records.ts";
import { recordsContract } from "./store-contract/records.ts";
import { statesContract } from "./store-contract/subject-states.ts";
import { subjectsContract, subjectsTogetherContract } from "./store-contract/subjects.ts";
import { callerTagsContract, tagsTogetherContract } from "./store-contract/tags-together.ts";
import { transactionsContract } from "./store-contract/transactions.ts";
import { unitEntriesContract } from "./store-contract/unit-entries.ts";
import { unitTagsContract } from "./store-contract/unit-tags.ts";
import { unitsContract } from "./store-contract/units.ts";
import { untrustedContract } from "./store-contract/untrusted.ts";

export type {
  AnyStore,
  ContractOptions,
  ContractStorage,
  ContractTransaction,
  NewStorage,
  RegisterTest,
  StoreContractOptions,
} from "./store-contract/contract.ts";

/** A part, and of which stores it is. */
type Part = readonly [part: (contract: Contract) => void, isOf: (capabilities: Declared) => boolean];
type Declared = Pick<Capabilities, "atomicUnits" | "list" | "callerTransaction">;

/** What a store declares that is told nothing else. */
const USUAL: Declared = { atomicUnits: 1000, list: "strong", callerTransaction: false };
const EVERY = (): boolean => true;

const PARTS: readonly Part[] = [
  [recordsContract, EVERY],
  [unitsContract, EVERY],
  [outcomeContract, EVERY],
  [listsContract, EVERY],
  [gateRowContract, EVERY],
  [flipsContract, EVERY],
  [gateContract, EVERY],
  [subjectsContract, EVERY],
  [statesContract, EVERY],
  [peopleOfRecordsContract, EVERY],
  [inventoryContract, EVERY],
  [failuresContract, EVERY],
  [keptContract, EVERY],
  [keptChangesContract, EVERY],
  [notesContract, EVERY],
  [jobsContract, EVERY],
  [outboxContract, EVERY],
  [outboxLimitsContract, EVERY],
  [outboxQueueContract, EVERY],
  [outboxStreamsContract, EVERY],
  [outboxPeopleContract, EVERY],
  [unitEntriesContract, EVERY],
  [untrustedContract, EVERY],
  [concurrencyContract, EVERY],
  [transactionsContract, ({ atomicUnits }) => atomicUnits > 1],
  [entriesTogetherContract, ({ atomicUnits }) => atomicUnits > 1],
  [subjectsTogetherContract, ({ atomicUnits }) => atomicUnits > 1],
  [strongListsContract, ({ list }) => list === "strong"],
  [callerTransactionContract, ({ callerTransaction, atomicUnits }) => callerTransaction && atomicUnits > 1],
  [callerEntriesContract, ({ callerTransaction, atomicUnits }) => callerTransaction && atomicUnits > 1],
  [indexesContract, EVERY],
  [findContract, EVERY],
  [unitTagsContract, EVERY],
  [fillingsContract, EVERY],
  [tagsGoContract, EVERY],
  [tagsTogetherContract, ({ atomicUnits }) => atomicUnits > 1],
  [callerTagsContract, ({ callerTransaction, atomicUnits }) => callerTransaction && atomicUnits > 1],
];

/**
 * Registers the contract's tests. Each is given storage of its own; more than a hundred are registered for a store
 * that can do everything.
 *
 * @param name what the tests' names begin with
 * @param newStorage makes empty storage for one test, and sees to it that it goes away
 * @example
 * ```ts
 * import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
 * import { storeContract } from "@strongroom/vault/store-contract";
 *
 * const newStorage = async () => {
 *   const storage = new MemoryStorage();
 *   let passed = 0;
 *   const clock = () => new Date(Date.now() + passed);
 *   return {
 *     open: async () => memoryStore({ storage, clock }),
 *     passTime: async (ms: number) => {
 *       passed += ms;
 *     },
 *   };
 * };
 * // Left out, `test` is that of node:test.
 * const tests: string[] = [];
 * storeContract("memory", newStorage, { test: (name) => tests.push(name) });
 * console.log(tests[0]); // prints: memory: it declares what it is tested for
 * ```
 */
export function storeContract(name: string, newStorage: NewStorage, options: StoreContractOptions = {}): void {
  const declared = { ...USUAL, ...options.capabilities };
  const contract = contractOn(name, newStorage, options);
  capabilitiesContract(contract, declared);
  for (const [part, isOf] of PARTS) if (isOf(declared)) part(contract);
}

/** Parts of the contract of a key store. */
const KEY_PARTS: readonly ((contract: Contract<KeyStore>) => void)[] = [
  keysContract,
  creationsContract,
  ownersContract,
  keyGateContract,
  keyLimitsContract,
  erasureContract,
  gateRowContract,
  flipsContract,
  keyInventoryContract,
  keyFailuresContract,
  keyMovesContract,
  keyGenerationsContract,
  jobsContract,
  outboxContract,
  outboxLimitsContract,
  outboxQueueContract,
  outboxStreamsContract,
  checkpointContract,
];

/**
 * Registers the tests of a key store's contract. Each is given storage of its own.
 *
 * @param name what the tests' names begin with
 * @param newStorage makes empty storage for one test, and sees to it that it goes away
 * @example
 * ```ts
 * import { memoryKeyStore, MemoryKeyStorage } from "@strongroom/vault/memory";
 * import { keyStoreContract } from "@strongroom/vault/store-contract";
 *
 * const newStorage = async () => {
 *   const storage = new MemoryKeyStorage();
 *   let passed = 0;
 *   const clock = () => new Date(Date.now() + passed);
 *   return {
 *     open: async () => memoryKeyStore({ storage, clock }),
 *     passTime: async (ms: number) => {
 *       passed += ms;
 *     },
 *   };
 * };
 * // Left out, `test` is that of node:test.
 * const tests: string[] = [];
 * keyStoreContract("memory", newStorage, { test: (name) => tests.push(name) });
 * console.log(tests[0]); // prints: memory: an empty key store has nothing
 * ```
 */
export function keyStoreContract(name: string, newStorage: NewStorage<KeyStore>, options: ContractOptions = {}): void {
  const contract = contractOn(name, newStorage, options);
  for (const part of KEY_PARTS) part(contract);
}

/** Parts of the contract of a log of the audit. */
const LOG_PARTS: readonly ((contract: Contract<AuditLog>) => void)[] = [
  logContract,
  logAddressesContract,
  logQueriesContract,
  logForgetContract,
  logLimitsContract,
  gateRowContract,
  jobsContract,
];

/** A log has no key set. */
const asItIs = (): Promise<void> => Promise.resolve();

/**
 * Registers the tests of the contract of the audit's log. Each is given storage of its own.
 *
 * @param name what the tests' names begin with
 * @param newStorage makes empty storage for one test, and sees to it that it goes away
 * @example
 * ```ts
 * import { memoryAuditLog, MemoryAuditStorage } from "@strongroom/vault/memory";
 * import { auditLogContract } from "@strongroom/vault/store-contract";
 *
 * const newStorage = async () => {
 *   const storage = new MemoryAuditStorage();
 *   let passed = 0;
 *   const clock = () => new Date(Date.now() + passed);
 *   return {
 *     open: async () => memoryAuditLog({ storage, clock }),
 *     passTime: async (ms: number) => {
 *       passed += ms;
 *     },
 *   };
 * };
 * // Left out, `test` is that of node:test.
 * const tests: string[] = [];
 * auditLogContract("memory", newStorage, { test: (name) => tests.push(name) });
 * console.log(tests[0]); // prints: memory: a new log is empty, and of no history
 * ```
 */
export function auditLogContract(name: string, newStorage: NewStorage<AuditLog>, options: ContractOptions = {}): void {
  const contract = contractOn(name, newStorage, options, asItIs);
  for (const part of LOG_PARTS) part(contract);
}
