/**
 * What the audit asks of the place that keeps its log: a database of its own. The log is a Merkle tree whose leaves are
 * entries; beside it lie tables that are derived from it and make it quick to ask: the newest entry of each address,
 * who is in which entry, how far each stream is. All of them are written in one transaction with the entries.
 *
 * The store computes nothing: what is added comes whole from the sequencer (audit/sequencer.ts). Nothing of it is
 * trusted by whoever verifies: the entries prove themselves against a signed checkpoint, and the tables follow.
 * `@strongroom/vault/store-contract` has the tests that every such store passes (`auditLogContract`).
 */
import type { Version } from "../records/address.ts";
import type { Gate } from "./gate.ts";
import type { JobStore, Lease } from "./jobs.ts";
import type { KeyVersion } from "./key-store.ts";
import type { AddressTag, EntryId, StreamId } from "./outbox.ts";
import type { HeadState } from "./rows.ts";

/** Which outbox a stream is of. */
export type OutboxName = "records" | "keys";

/** Roots of complete subtrees of these heights are kept: 8, 16, ... */
export const STORED_HEIGHT = 8;

/** A complete subtree of `2 ** height` leaves, the `index`th of its height. */
export interface StoredSubtree {
  readonly height: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** What the log says of itself. */
export interface LogState {
  /** Which history: a random UUID. A restore that was accepted begins another one; null: nothing is in it yet. */
  readonly history: string | null;
  readonly size: number;
  /** Roots of the complete subtrees of the tree, from left to right. */
  readonly subtrees: readonly Pick<StoredSubtree, "height" | "hash">[];
  /** The signed checkpoint of this size; null: there is none. */
  readonly checkpoint: string | null;
  /** The largest size whose checkpoint is known to be in the key store. */
  readonly published: number;
  /** Whether every record that was there before the audit has an entry by now. */
  readonly adopted: boolean;
  /** Behind the last entry whose text was forgotten. Which ones were, entries of the log say. */
  readonly forgotten: number;
}

/** An entry as it is added. */
export interface NewLogEntry {
  readonly id: EntryId;
  /** UTF-8. */
  readonly text: Uint8Array;
  /** Its leaf's hash. */
  readonly leaf: Uint8Array;
  /** By which it is found. */
  readonly at: string;
  readonly principal: string;
  readonly action: string;
  readonly collection: string | null;
  /** Whose it is: the keys of people (versions of audit keys) that seal a part of it, each once. */
  readonly people: readonly string[];
}

/** The newest state of an address. */
export interface AddressHead {
  readonly version: Version;
  readonly state: HeadState;
  /** The head's own entry; null: the head is from before the audit. */
  readonly entry: EntryId | null;
}

/** A message that a version may have: its own, or one that a repair has put in its place. */
export interface KnownMessage {
  readonly tag: AddressTag;
  readonly version: Version;
  /** SHA-256. */
  readonly sha256: Uint8Array;
}

/** A stream as the log knows it. */
export interface LogStream {
  readonly outbox: OutboxName;
  readonly stream: StreamId;
  /** The last number that is in the log. */
  readonly number: number;
  /** Whether it has ended: the store's row of it may be gone by now, and the log's goes when it is. */
  readonly ended: boolean;
}

/** What is added at once. */
export interface Addition {
  readonly entries: readonly NewLogEntry[];
  /** Subtrees of stored heights that the entries complete. */
  readonly subtrees: readonly StoredSubtree[];
  /** What the log says of itself with them. `published` and `forgotten`: the larger of what is there and this. */
  readonly state: LogState;
  /** Of addresses: the newest of each, each once. */
  readonly heads: readonly (AddressHead & { readonly tag: AddressTag })[];
  /** Added after those of addresses in `removed` went. */
  readonly messages: readonly KnownMessage[];
  /** Addresses whose messages are known no more: the record was removed. Their heads are what `heads` says. */
  readonly removed: readonly AddressTag[];
  /** How far streams are with it, each once: added, or put in the place of what is there. */
  readonly streams: readonly LogStream[];
  /** Streams that had ended and whose rows in their stores are gone: they go here too. None of them is in `streams`. */
  readonly closed: readonly Pick<LogStream, "outbox" | "stream">[];
  /**
   * Whether another history begins with it: what is known of addresses and streams goes first, before what is given
   * here is added. Records are adopted anew then.
   */
  readonly begins: boolean;
}

/** An entry as it lies in the log. */
export interface LogRow {
  /** From 0. */
  readonly position: number;
  readonly id: EntryId;
  /** Null: its time was over. */
  readonly text: Uint8Array | null;
  readonly leaf: Uint8Array;
}

/** An entry with all that the log has of it. */
export interface WholeLogRow extends LogRow {
  /** By which it is found; `people` is empty where the text was forgotten. What is damaged is empty. */
  readonly found: Pick<NewLogEntry, "at" | "principal" | "action" | "collection" | "people">;
}

/** How many rows there are. Counts them: for whoever verifies the log. */
export interface LogCounts {
  readonly entries: number;
  readonly subtrees: number;
  readonly heads: number;
  readonly messages: number;
  readonly streams: number;
  /** Of who is in which entry: an entry with two keys counts twice. */
  readonly people: number;
}

/** Which entries. All conditions that are given hold. */
export interface LogQuery {
  /** Versions of audit keys: entries with at least one of them. */
  readonly people?: readonly string[];
  readonly principal?: string;
  readonly action?: string;
  readonly collection?: string;
  /** ISO 8601, UTC; from, and up to but without. */
  readonly since?: string;
  readonly until?: string;
}

/** Entries that stand one after another: from a position up to, and without, another. */
export interface PositionRange {
  readonly from: number;
  readonly to: number;
}

/** A page of a query. */
export interface LogPage {
  readonly order: "oldest" | "newest";
  /** Only what comes behind this position, in the order; null: from the beginning. */
  readonly after: number | null;
  readonly limit: number;
}

/** What is asked of an address. */
export interface LatestQuery {
  readonly tag: AddressTag;
  /** A message that it has: is it known? Null: nothing is asked. */
  readonly message: { readonly version: Version; readonly sha256: Uint8Array } | null;
}

/** What the log knows of an address. */
export interface Latest {
  /**
   * Null: the log has no entry of it. Of a row that holds what no vault writes, what is damaged is empty or 0: no
   * record is like it.
   */
  readonly head: AddressHead | null;
  /** Whether the message that was asked for is known; false when nothing was asked. */
  readonly isKnown: boolean;
}

/** The log of the audit. */
export interface AuditLog {
  /** Its own: which store it is, and which vault it belongs to (`peer`). It has no key set. */
  readonly gate: Gate;
  readonly jobs: JobStore;
  state(): Promise<LogState>;
  /**
   * Adds what comes behind `size` entries of `history`, in one transaction; nothing if the log is not there any more or
   * the lease is somebody else's. An entry whose id is in it already is refused (`store-failed`), as is what is beyond
   * log-limits.ts; nothing is added then.
   */
  integrate(
    base: Pick<LogState, "history" | "size">,
    addition: Addition,
    lease: Lease,
  ): Promise<"integrated" | "overtaken">;
  /** Notes that a checkpoint of this size is in the key store. It only grows. */
  published(size: number): Promise<void>;
  /** What is known of addresses, in their order, of one snapshot. */
  latest(queries: readonly LatestQuery[]): Promise<readonly Latest[]>;
  /**
   * The first version of each address that a message is known of, in their order; null: none is. At most 1,000. For a
   * search for versions that are gone.
   */
  firstVersions(tags: readonly AddressTag[]): Promise<readonly (Version | null)[]>;
  /** Heads in the order of tags: `live` those of records that are there, for a search for records that are gone. */
  heads(page: {
    readonly only: "live" | "all";
    readonly after: AddressTag | null;
    readonly limit: number;
  }): Promise<readonly (AddressHead & { readonly tag: AddressTag })[]>;
  /** Entries from a position on, whole: fewer than `limit` as `Outbox.take` may. */
  entries(range: { readonly from: number; readonly limit: number }): Promise<readonly WholeLogRow[]>;
  counts(): Promise<LogCounts>;
  /** Positions of entries by their ids, in their order; null: it is not in the log. */
  positions(ids: readonly EntryId[]): Promise<readonly (number | null)[]>;
  /**
   * Versions of keys that seal a part of some entry, each once, in their order; what is no version of a key is left
   * out, and takes no place of a page. For a search for keys that are gone.
   */
  namedKeys(page: { readonly after: KeyVersion | null; readonly limit: number }): Promise<readonly KeyVersion[]>;
  find(query: LogQuery, page: LogPage): Promise<readonly LogRow[]>;
  /**
   * Hashes of complete subtrees of a stored height, or of leaves (height 0), from index `start` up to, and without,
   * `end`: those that there are before the first that is missing.
   */
  hashes(of: { readonly height: number; readonly start: number; readonly end: number }): Promise<readonly Uint8Array[]>;
  /** Streams of an outbox, in the order of ids. */
  streams(
    outbox: OutboxName,
    page: { readonly after: StreamId | null; readonly limit: number },
  ): Promise<readonly LogStream[]>;
  /**
   * Positions of entries from `from` on that have their text, are older than a moment and have an action that is not in
   * `keep`, in their order: the first, at most `limit`. By what stands beside their texts: whoever forgets looks at
   * these first.
   */
  forgettable(request: {
    readonly before: string;
    readonly keep: readonly string[];
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly number[]>;
  /**
   * Takes the texts of exactly these entries away, all at once, and who is in them; their leaves stay, and by all but
   * people they are found as before. Answers how many had one. `forgotten` of the state is behind the last of them, or
   * where it was. Whoever forgets has said in an entry which ones (audit/forgetting.ts): what no entry has said is
   * found by a verification.
   *
   * @throws VaultError `store-failed`: they are not in their order, more than 10,000, or beyond the log; nothing went
   */
  forget(ranges: readonly PositionRange[]): Promise<number>;
  /** Resolves when there is room for more. @throws VaultError `store-full` */
  requireRoom(): Promise<void>;
  /** Resolves when the store can answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
