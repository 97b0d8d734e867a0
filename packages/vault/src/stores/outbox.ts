/**
 * Entries of the audit on their way to its log. The record store and the key store have an outbox each, so that an
 * entry is written in the transaction of what it tells, or before what it allows; a sequencer (audit/sequencer.ts)
 * carries all of them to the log, which is a database of its own, and drops them here.
 *
 * An entry has a number in a stream. A stream is one after the other: the store takes number n only when n - 1 was the
 * last, so that whoever finds n knows that n - 1 was there. The number and the stream are in the entry's text, under
 * its MAC: who takes an entry away leaves a hole that has a name.
 */
import type { SubjectId, SubjectState } from "./subjects.ts";

declare const brand: unique symbol;

/** A random version 4 UUID in lower case. Of a write, its write id. */
export type EntryId = string & { readonly [brand]: "entry-id" };

/** A random version 4 UUID in lower case; or {@link STORE_STREAM}. */
export type StreamId = string & { readonly [brand]: "stream-id" };

/** An address as a keyed hash (audit/address-tag.ts): 22 characters of base64url. */
export type AddressTag = string & { readonly [brand]: "address-tag" };

/**
 * The stream that each store has for itself and never ends: whoever opens or closes the store for an audit writes to
 * it, so that a store that is set back lacks numbers that the log has, also when all other streams have ended.
 */
export const STORE_STREAM: StreamId = "00000000-0000-4000-8000-000000000000" as string as StreamId;

/** Most bytes of an entry's text. */
export const MAX_ENTRY_BYTES: number = 1024 * 1024;
/** Most entries and bytes of one append. */
export const MAX_APPEND_ENTRIES = 1000;
export const MAX_APPEND_BYTES: number = 16 * 1024 * 1024;

/** An entry that is to be written. */
export interface OutboxEntry {
  readonly id: EntryId;
  readonly stream: StreamId;
  /** From 1. */
  readonly number: number;
  /** Whether the stream ends with it. */
  readonly ends: boolean;
  /** The address that it changes, by which it is found while it waits; null: it changes none. */
  readonly tag: AddressTag | null;
  /** UTF-8, as the log keeps and hashes it. The store reads nothing of it. */
  readonly text: Uint8Array;
  /** 32 bytes: of the text, under a key of the vault. */
  readonly mac: Uint8Array;
}

/** The entry of a unit. */
export interface UnitEntry extends OutboxEntry {
  /**
   * The entry that the head must have for the unit to be made; null: none. It is compared besides the unit's base; of a
   * `damaged` base it is not.
   */
  readonly previous: EntryId | null;
}

/** An entry that waits. What holds what no vault writes is given as it is, for the sequencer to tell. */
export interface WaitingEntry extends OutboxEntry {
  /** Names it for `drop`, and for nothing else. */
  readonly position: bigint;
}

/** How far a stream is. */
export interface StreamRow {
  readonly stream: StreamId;
  /** The number of its last entry, delivered or not. */
  readonly last: number;
  /** When that was written, by the store's clock: ISO 8601, UTC. */
  readonly at: string;
}

/** What became of an append. */
export type AppendResult =
  /** All of it is durable. */
  | { readonly kind: "made" }
  /** `last` is the last number of a stream whose next is not the one that was given (0: there is no such stream). */
  | { readonly kind: "stream-moved"; readonly stream: StreamId; readonly last: number }
  /** These may not be read about: all of those that were asked for and are not active. Nothing was written. */
  | {
      readonly kind: "subjects-closed";
      readonly closed: readonly {
        readonly id: SubjectId;
        /** `null`: the row is gone. */
        readonly state: Exclude<SubjectState, "active"> | null;
      }[];
    };

/** The outbox of a store. */
export interface Outbox {
  /**
   * Writes entries, all or none, in one transaction that is durable when it is answered. Entries of a stream stand one
   * after another, in order. Made only if everybody in `active` has a row that is active, in that transaction: a
   * change of state waits for it, or it sees the change. A key store has no people: there `active` is empty, or it is
   * refused (`store-failed`). Without entries, nothing is written and `active` is looked at.
   *
   * @throws VaultError `store-failed` for what is beyond the limits above, `store-full`; `outcome-unknown`: asking
   *   `streams` for the stream tells
   */
  append(entries: readonly OutboxEntry[], active: readonly SubjectId[]): Promise<AppendResult>;
  /**
   * The oldest that wait, in an order in which each comes after what it was written after: never one that was committed
   * later before one that its writer had seen. Damaged rows are among them: what is damaged of them is empty or 0.
   * Fewer than `limit` when no more wait, or when their texts together reach the most bytes of one append, 16 MiB: at
   * least one.
   */
  take(limit: number): Promise<readonly WaitingEntry[]>;
  /** Those that wait and change these addresses, in the same order. */
  pending(tags: readonly AddressTag[]): Promise<readonly WaitingEntry[]>;
  /**
   * Takes entries away that are in the log. Positions that nothing has, or nothing has any more, are passed over: none
   * is given to another entry later, so that whoever was overtaken drops nothing that he has not seen.
   */
  drop(positions: readonly bigint[]): Promise<void>;
  /** The rows of these streams, in their order; null: there is none. */
  streams(ids: readonly StreamId[]): Promise<readonly (StreamRow | null)[]>;
  /** All streams, in the order of their ids, behind one. At most `limit`. */
  listStreams(page: { readonly after: StreamId | null; readonly limit: number }): Promise<readonly StreamRow[]>;
  /** Takes the rows of streams away that are at these numbers by now and have no entry waiting. */
  closeStreams(streams: readonly Pick<StreamRow, "stream" | "last">[]): Promise<void>;
  /** How many entries wait, counted up to `atMost`, and since when the oldest does (ISO 8601; null: none). */
  waiting(atMost: number): Promise<{ readonly entries: number; readonly since: string | null }>;
}
