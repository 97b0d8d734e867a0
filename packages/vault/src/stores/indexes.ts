/**
 * Tags, by which records are found without being opened. A store compares them and knows nothing of what they are made
 * of. Whatever changes how tags are made (another key, another normaliser, other fields) makes another *index*: the new
 * one is built beside the old one, which then goes.
 *
 * - Only the newest version of a record has tags. A unit replaces all of its record's tags in its own transaction; a
 *   removal takes them away.
 * - The tags of a unique index belong to one record each.
 * - Which indexes are written is the same for all writers at any time: a change of it moves the epoch of the gate, and
 *   a unit that was prepared before is told `gate-moved`.
 * - Tags are derived: a backup leaves them out, and a restore builds them anew.
 */
import type { Address, Collection, Version } from "../records/address.ts";
import type { Epoch } from "./gate.ts";
import type { Lease } from "./jobs.ts";

declare const brand: unique symbol;

/** An index as its tags are made: 32 hexadecimal digits. */
export type IndexId = string & { readonly [brand]: "index" };

/**
 * `building`: its tags are written, and not all records have them yet. `ready`: they are written, and all have them.
 * `dropped`: they are not written any more, and are on their way out.
 */
export type IndexState = "building" | "ready" | "dropped";

/** An index. */
export interface IndexRow {
  readonly id: IndexId;
  readonly collection: Collection;
  /** As the collection declares it: 1 to 128 characters. */
  readonly name: string;
  readonly isUnique: boolean;
  readonly state: IndexState;
}

/** One tag of one record. */
export interface Tag {
  readonly index: IndexId;
  /** 8 to 32 bytes; of a unique index, 32. */
  readonly tag: Uint8Array;
}

/** Most tags of one record. */
export const MAX_TAGS = 512;

/** What is asked of tags. */
export interface TagQuery {
  readonly collection: Collection;
  /** A record is found that has, of each of these, one at least. 1 to 8 of them, of 1 to 64 tags each. */
  readonly terms: readonly (readonly Tag[])[];
  /** Only behind this position; null: from the first. */
  readonly after: Uint8Array | null;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** A record that has the tags. Nothing of it is authentic: what is found is opened and compared. */
export interface TaggedRecord {
  /** The row's. */
  readonly id: string;
  /** The record's own id, sealed, where the row's id is a keyed hash of it. */
  readonly sealedId: Uint8Array | null;
  /** Where the search goes on behind it. */
  readonly position: Uint8Array;
}

/** The tags of one record under one index, as a build makes them. */
export interface Filling {
  readonly address: Address;
  readonly index: IndexId;
  /** Its tags under that index; none: it has nothing to be found by. */
  readonly tags: readonly Uint8Array[];
  /** The head was live at this version when it was opened: nothing is changed unless it still is. */
  readonly seen: Version;
  /** Of the gate, when the tags were made. */
  readonly epoch: Epoch;
}

/** What became of one. `taken`: another record has a tag of it, and the index is unique. */
export type FillResult = "filled" | "overtaken" | "gate-moved" | "taken";

/** How many tags of an index there are so many records of. */
export interface TagFrequency {
  readonly records: number;
  readonly tags: number;
}

/** The indexes of a store, and their tags. */
export interface Indexes {
  /** All of them, and the gate's epoch at that moment. */
  list(): Promise<{ readonly epoch: Epoch; readonly indexes: readonly IndexRow[] }>;
  /**
   * Puts these rows in the place of those of the same ids, or adds them, at most 1,000, and moves the epoch of the
   * gate on by one. `moved`: it was not `from` any more, and nothing was changed. Once it resolves with `changed`, no
   * unit, no rewrap and no filling of an earlier epoch is made any more. Of a row that is there only the state changes,
   * and one that is dropped comes back only after its purge: whatever makes another index of it makes another id too.
   *
   * @throws VaultError `store-failed`: it would be another index than before, or no key set is in force yet
   */
  change(change: { readonly from: Epoch; readonly set: readonly IndexRow[] }): Promise<"changed" | "moved">;
  /**
   * Live records with these tags, in the store's own order. By tags of an index that is dropped, unknown, or another
   * collection's, nothing is found.
   *
   * @throws VaultError `cursor-invalid`
   */
  find(query: TagQuery): Promise<readonly TaggedRecord[]>;
  /** How many records there are for a query without its page, at most `most` of them counted. */
  count(query: Pick<TagQuery, "collection" | "terms">, most: number): Promise<number>;
  /**
   * Writes tags of records that have none yet, each for itself; at most 1,000. What else a record has under the index
   * is replaced. `overtaken` is also who has lost the lease, and what is of an index that is not written.
   *
   * @param lease null: no job does it
   */
  fill(fillings: readonly Filling[], lease: Lease | null): Promise<readonly FillResult[]>;
  /** Takes all tags of these records away, whatever their heads are; at most 1,000. */
  forget(addresses: readonly Address[]): Promise<void>;
  /**
   * Takes tags of a dropped index away, at most `limit`, which is 1 to 10,000. Answers how many went; 0: all are gone,
   * and its row with them.
   *
   * @throws VaultError `store-failed`: it is not dropped
   */
  purge(index: IndexId, limit: number): Promise<number>;
  /** The tags of a record's head, also of dropped indexes; null: it has no live head. For whoever verifies them. */
  tagsOf(address: Address): Promise<readonly Tag[] | null>;
  /** How often tags come, the rarest first: what whoever has the database sees. Reads the whole index. */
  frequencies(index: IndexId): Promise<readonly TagFrequency[]>;
}
