/**
 * What a vault asks a store to change. A unit is the whole change of one record, and is made whole or not at all, on
 * every store; several units are one transaction where the store can do that.
 */
import type { Address, Subject, Version } from "../records/address.ts";
import type { Epoch } from "./gate.ts";
import type { UnitEntry } from "./outbox.ts";
import type { Head, Scheme } from "./rows.ts";
import type { IndexId, Tag } from "./indexes.ts";
import type { SubjectId, SubjectState, UnitSubject } from "./subjects.ts";
import type { WrapSet } from "./wrap-set.ts";

declare const brand: unique symbol;

/**
 * The name of one attempt to write, random, never used again. It is kept with what it wrote: whoever lost the answer to
 * a commit asks by it what became of it.
 */
export type WriteId = string & { readonly [brand]: "write-id" };

/** A version that is not stored yet. */
export interface NewVersion {
  readonly version: Version;
  readonly scheme: Scheme;
  readonly subject: Subject;
  /** Further people, sorted, without the subject. */
  readonly about: readonly SubjectId[];
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly wrapSet: WrapSet;
  /** One message in the AWS Encryption SDK format. */
  readonly message: Uint8Array;
}

/** One or more new versions, each on top of the one before it; the first on top of the unit's base. */
export interface WriteChange {
  readonly kind: "write";
  /** Of the gate, when the data keys were wrapped. */
  readonly epoch: Epoch;
  readonly versions: readonly NewVersion[];
  /**
   * Everybody the versions are about, each once, sorted by id: their rows are locked, or made, before anything is
   * written; a link from each to the record is made where there is none. Of scheme 1, nobody.
   */
  readonly subjects: readonly UnitSubject[];
  /** The record's own id, sealed, at most 1,024 bytes; null where the row's id is it. Kept at the head. */
  readonly sealedId: Uint8Array | null;
  /**
   * What the record is found by from now on, in the place of all tags that it had: under every index of its collection
   * that is written at that epoch. Left out: there is none, and no tag is touched. At most 512; those of
   * an index that is not written are not kept.
   */
  readonly tags?: readonly Tag[] | undefined;
}

/** All versions' rows and links go, the head becomes a tombstone. It wraps nothing: it is made at every epoch. */
export interface RemoveChange {
  readonly kind: "remove";
  /** The highest number the record ever had. */
  readonly tombstone: Version;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
}

/** One record's whole change. */
export interface Unit {
  readonly writeId: WriteId;
  readonly address: Address;
  /**
   * The head that it was prepared against: the unit is made only if the head still is exactly that. Null: there was
   * none. `damaged`, of a removal only: rows on which nobody builds; they go whatever they hold.
   */
  readonly base: Head | "damaged" | null;
  /** Its audit entry, which is written with it: the head gets the entry's id. Left out: the vault has no audit. */
  readonly entry?: UnitEntry | undefined;
  readonly change: WriteChange | RemoveChange;
}

/** What became of one unit. */
export type UnitResult =
  /** It is stored, durably. */
  | { readonly kind: "made" }
  /** The head is not the unit's base, or a version's number was taken; nothing of the unit was changed. */
  | { readonly kind: "conflict" }
  /** The key set has changed since the data keys were wrapped; `epoch` is the one that is in force. */
  | { readonly kind: "gate-moved"; readonly epoch: Epoch }
  /** Somebody it is about may not be written about; nothing of the unit was changed. */
  | { readonly kind: "subject-closed"; readonly id: SubjectId; readonly state: Exclude<SubjectState, "active"> }
  /**
   * Another record has a tag of a unique index; nothing of the unit was changed. Told last: nothing else is in the way
   * of it. Of units of one transaction, what one gives up is not free for another one, in whichever order: records do
   * not exchange tags in one call. Of those that want one tag, all but the first are told.
   */
  | { readonly kind: "taken"; readonly index: IndexId }
  /** It was sealed under an older key of somebody than one that has sealed before; nothing of the unit was changed. */
  | { readonly kind: "key-set-back"; readonly id: SubjectId }
  /**
   * The number of its entry is not the next of its stream, where those of the units before it in the transaction count
   * as made; nothing of the transaction was changed. Told before anything else that is in the way of it.
   */
  | { readonly kind: "stream-moved" }
  /** Nothing is wrong with it: another unit of the same transaction was not made. */
  | { readonly kind: "not-made" };

/** What becomes of a write whose answer was lost. `void`: it was not made, and never will be. */
export type Outcome = "made" | "void";
