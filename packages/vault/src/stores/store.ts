/**
 * What the vault asks of a place that keeps records. A store knows rows and bytes; it never sees a document or a key.
 * `@strongroom/vault/store-contract` has the tests that every store passes.
 *
 * - A record has one *head* (its newest version, or a tombstone) and one row per version. Version numbers only grow; a
 *   tombstone keeps the number, so none is used twice, also after a removal.
 * - A unit is made only if the head still is exactly the one that it was prepared against (compare-and-swap), also
 *   against other processes, and only at the epoch at which its data keys were wrapped.
 * - What `apply` answers with `made` is durable. When the answer was lost the store throws `outcome-unknown`, never a
 *   conflict; `outcome` then settles it for good.
 * - Ids are compared and ordered by the bytes of their UTF-8.
 * - Failures are VaultErrors: `store-full`, `store-newer`, `store-altered`, `store-replaced`, `store-set-back`,
 *   `store-failed`, `store-closed`, `outcome-unknown`.
 * - What is stored is not trusted: a row that holds what no vault writes is told as damage, and fails nothing else.
 *
 * The key store (key-store.ts) is a neighbour of these, with a contract of its own; an outbox row and the tags of an
 * index are further members of the unit, and no other transactions.
 */
import type { Address, Collection, Version } from "../records/address.ts";
import type { Gate } from "./gate.ts";
import type { Indexes } from "./indexes.ts";
import type { Inventory } from "./inventory.ts";
import type { JobStore } from "./jobs.ts";
import type { KeptMessages } from "./kept.ts";
import type { Notes } from "./notes.ts";
import type { Outbox } from "./outbox.ts";
import type {
  FoundCollection,
  ListedRecord,
  ListPage,
  RecordRead,
  RecordRows,
  RecordVersions,
  VersionsPage,
} from "./rows.ts";
import type { SubjectId, SubjectRecord, SubjectRow, SubjectsPage, SubjectState } from "./subjects.ts";
import type { Outcome, Unit, UnitResult } from "./units.ts";

/** What a store can do. A vault refuses what is beyond it before anything is encrypted. */
export interface Capabilities {
  /** Most units of one transaction; 1: each is one of its own. */
  readonly atomicUnits: number;
  /** Most versions of one unit. */
  readonly unitItems: number;
  /** Most bytes of the messages of one unit. */
  readonly unitBytes: number;
  /** `eventual`: a list may miss what was written a moment ago. */
  readonly list: "strong" | "eventual";
  /** `scan`: counting and proving read everything. */
  readonly inventory: "index" | "scan";
  /** `lease`: a flip waits until the processes have renewed what they know of the gate. */
  readonly gate: "lock" | "lease";
  /** Whether units can be made within a transaction of the caller's own. */
  readonly callerTransaction: boolean;
}

/** Whether all units of a call are made or none. */
export interface ApplyOptions {
  /** False: each unit is a transaction of its own, and what becomes of one says nothing of the others. */
  readonly atomic: boolean;
}

/** The records of a store. */
export interface RecordStore {
  /** The heads of these records, in their order. Each is one snapshot; all of them need not be the same one. */
  heads(addresses: readonly Address[]): Promise<readonly RecordRows[]>;
  /** A record with the message of one version; `version` null: the head's. */
  read(address: Address, version: Version | null): Promise<RecordRead>;
  /** A record with what is known of its versions, newest first. */
  versions(address: Address, page: VersionsPage): Promise<RecordVersions>;
  /**
   * Makes the units, and answers for each in its place. No record is in two units of one call, and no unit is beyond
   * the store's capabilities: the vault sees to that, and a store refuses it with `store-failed`.
   *
   * @throws VaultError `outcome-unknown`: some of the units may be made and some not; `outcome` tells.
   */
  apply(units: readonly Unit[], options: ApplyOptions): Promise<readonly UnitResult[]>;
  /**
   * What became of units whose answer was lost. Asking settles it: a unit that is not made by now is `void` and will
   * never be made, also if its transaction is still on its way.
   */
  outcome(units: readonly Pick<Unit, "address" | "writeId">[]): Promise<readonly Outcome[]>;
  /**
   * Records after a position, in order of id; null when the collection never had a record. Those whose rows do not fit
   * together are among them; only what was removed, and has no rows, is not.
   */
  list(collection: Collection, page: ListPage): Promise<readonly ListedRecord[] | null>;
  /** Every collection that ever had a record, with how many there are now. Counts them: not for a health check. */
  collections(): Promise<readonly FoundCollection[]>;
}

/** The people of a store. */
export interface SubjectRows {
  /** The rows of these people, in their order. */
  get(ids: readonly SubjectId[]): Promise<readonly (SubjectRow | null)[]>;
  /** Everybody, in the order of ids. */
  list(page: SubjectsPage): Promise<readonly SubjectRow[]>;
  /** Those whose rows were made last, newest first. */
  newest(limit: number): Promise<readonly SubjectRow[]>;
  /**
   * Changes a state, if it is one of `from` by now; a row that is absent counts as `active` and is made. Waits for the
   * units under way that are about the person; none that begins later is made unless the new state is `active`. Answers
   * the state that the row has then.
   */
  setState(change: {
    readonly id: SubjectId;
    readonly from: readonly SubjectState[];
    readonly to: SubjectState;
  }): Promise<SubjectState>;
  /** Records that have, or have had, a version about them and were not removed: in the store's own order. */
  records(
    id: SubjectId,
    page: { readonly after: Uint8Array | null; readonly limit: number },
  ): Promise<readonly SubjectRecord[]>;
}

/** Makes units within a transaction that the caller began and ends. */
export interface CallerTransaction {
  /**
   * As `apply` of the records with `atomic`, but that nothing is made unless the caller commits. A conflict is an
   * answer and not an error, so that the caller's transaction goes on; nothing of these units is in it then.
   */
  apply(units: readonly Unit[]): Promise<readonly UnitResult[]>;
}

/** Everything that a vault needs of one place. */
export interface Store {
  readonly capabilities: Capabilities;
  readonly records: RecordStore;
  readonly subjects: SubjectRows;
  readonly gate: Gate;
  readonly inventory: Inventory;
  readonly jobs: JobStore;
  /** Of all processes that use the store. */
  readonly notes: Notes;
  /** Messages that were replaced and are kept for now. */
  readonly kept: KeptMessages;
  readonly outbox: Outbox;
  readonly indexes: Indexes;
  /**
   * The caller's own transaction; only of a store that is capable of it.
   *
   * @throws VaultError `store-failed` when the client is none, or its isolation is one at which the gate cannot be held
   */
  readonly transaction?: (client: unknown) => Promise<CallerTransaction>;
  /**
   * Writes down, in a transaction of its own, what other writers would otherwise wait for while a caller's transaction
   * that makes these units lasts. The units are made without it just as well.
   */
  readonly readyFor?: (units: readonly Unit[]) => Promise<void>;
  /**
   * Resolves when there is room for more. Asked before anything is sealed, so that a full disk costs no call of a KMS.
   *
   * @throws VaultError `store-full`
   */
  requireRoom(): Promise<void>;
  /** Resolves when the store can answer. For a readiness check: it must not wait for a writer, and counts nothing. */
  ping(): Promise<void>;
  /** What kind of place it is, for people. Left out: one that nobody knows. */
  readonly kind?: StoreKind;
  /**
   * Overwrites, as far as the store can do that by itself, what was removed and lies in its files still; of who waits
   * for nothing, it waits for nobody. Left out: it cannot.
   */
  readonly dropTraces?: () => Promise<void>;
  /** Lets what is under way end. */
  close(): Promise<void>;
}

/** Of which kind a store is. */
export type StoreKind = "sqlite" | "postgresql" | "memory";
