/**
 * Records as they lie in a store. Nothing of it is trusted: a row that holds what no vault writes is told as damage,
 * and fails nothing else.
 */
import type { Address, Subject, Version } from "../records/address.ts";
import type { EntryId } from "./outbox.ts";
import type { SubjectId, SubjectRow } from "./subjects.ts";
import type { WrapSetId } from "./wrap-set.ts";

/** `removed`: a tombstone. */
export type HeadState = "live" | "removed";

/** The head row of a record. */
export interface Head {
  /** The newest version; of a removed record, the last one that it had. */
  readonly version: Version;
  readonly state: HeadState;
}

/** How many wraps a version's data key has, and how many were wanted. */
export interface WrapCount {
  readonly stored: number;
  readonly target: number;
}

/**
 * How a version's context is made. 1: it names whom it is about as the caller did. 2: it names the vault, and people by
 * opaque ids.
 */
export type Scheme = 1 | 2;

/** What is known of one version without opening its message. */
export interface VersionRow {
  readonly version: Version;
  readonly scheme: Scheme;
  /** Scheme 1: a name. Scheme 2: a person's opaque id, or `collection:NAME` where it is about nobody. */
  readonly subject: Subject;
  /** Scheme 2: the further people it is about, sorted, without the subject. Empty: nobody else. */
  readonly about: readonly SubjectId[];
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly wraps: WrapCount;
  /** Length of the message in bytes. */
  readonly messageBytes: number;
}

/**
 * What a rewrite of a version's message names, so that it replaces what was read and nothing else: its wrap set, and
 * how often its message was replaced before.
 */
export interface Stamp {
  readonly wrapSet: WrapSetId;
  readonly revision: number;
}

/** One version with its message. */
export interface StoredMessage extends Omit<VersionRow, "messageBytes"> {
  readonly stamp: Stamp;
  /** One message in the AWS Encryption SDK format. */
  readonly message: Uint8Array;
}

/**
 * A record as it lies in the store. All of it is one snapshot; both halves are shown so that a head set back is
 * noticed.
 */
export interface RecordRows {
  /** Null when there is no head row. */
  readonly head: Head | null;
  /** Highest number among the version rows, null when there are none. */
  readonly newestRow: Version | null;
  /** The audit entry of the write that made the head; left out when it had none. */
  readonly entry?: EntryId;
  /**
   * Columns that hold what no vault writes (a number beyond 2^53, a date that is none), by their names; left out when
   * none does. What is damaged is null above.
   */
  readonly damage?: string;
}

/** A record with one of its versions. */
export interface RecordRead extends RecordRows {
  /** The version asked for, null when its row is absent. */
  readonly stored: StoredMessage | null;
  /** Of the people that the version is about, in any order; of scheme 1, none. One that is absent is missing. */
  readonly subjects: readonly SubjectRow[];
}

/** A record with what is known of its versions. */
export interface RecordVersions extends RecordRows {
  /** Newest first. */
  readonly versions: readonly VersionRow[];
}

/** A page of a record's versions. */
export interface VersionsPage {
  /** Only versions below this number; null: from the newest. */
  readonly before: Version | null;
  readonly limit: number;
}

/** A page of a collection. */
export interface ListPage {
  /** Only ids behind this position; null: from the first. */
  readonly after: Uint8Array | null;
  readonly limit: number;
}

/** A record as a list finds it. Nothing of it is authentic, not even that its id is one. */
export interface ListedRecord extends RecordRows {
  /** Cut when it is longer than an id may be. */
  readonly id: string;
  /** Where the list goes on behind it. */
  readonly position: Uint8Array;
  /** When the newest version was written: ISO 8601, UTC; null when the row holds no date. */
  readonly updatedAt: string | null;
  /** The record's own id, sealed, where the row's id is a keyed hash of it. */
  readonly sealedId: Uint8Array | null;
}

/** A collection as it lies in the store: its name may be none. */
export interface FoundCollection {
  readonly name: string;
  readonly records: number;
}

/** One version of one record. */
export interface VersionPlace extends Address {
  readonly version: Version;
}
