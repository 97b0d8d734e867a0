/**
 * What the vault asks of a place that keeps records. A store knows rows and bytes; it never sees a document or a key.
 *
 * The contract, which `test/store-contract.ts` holds every store to:
 *
 * - A record has one *head* (its newest version, or a tombstone) and one row per version.
 * - `commit` is one transaction: every change is made, durably, before it resolves, or none is.
 * - Each change names the head that it was prepared against and is made only if the head still is exactly that
 *   (compare-and-swap), also against other processes. A change that is not becomes a conflict, and nothing is made.
 * - Version numbers only grow. A tombstone keeps the number, so none is used twice, also after a removal.
 * - Wraps that are missing are recorded in the transaction of the version that misses them, and go with it.
 * - An owed version is claimed by one holder at a time, until a moment that the holder names; after that anyone may
 *   claim it, so that a holder which died keeps nothing. A claim saves work. What keeps data safe is that `repair`
 *   replaces a message only if it still is, byte for byte, the one that was read.
 * - Ids are compared and ordered by the bytes of their UTF-8.
 * - Failures are VaultErrors: `store-full`, `store-newer`, `store-altered`, `store-replaced`, `store-set-back`,
 *   `store-failed`, `store-closed`.
 * - What is stored is not trusted: a row that holds what no vault writes is told as damage, and fails nothing else.
 */
import type { Address, Collection, Subject, Version } from "./records/address.ts";

export type HeadState = "live" | "removed";

/** The head row of a record. */
export interface Head {
  /** The newest version; of a removed record, the last one that it had. */
  readonly version: Version;
  readonly state: HeadState;
}

/** What is known of one version without opening its message. */
export interface VersionRow {
  readonly version: Version;
  readonly subject: Subject;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly wraps: WrapCount;
  /** Length of the message in bytes. */
  readonly messageBytes: number;
}

export interface WrapCount {
  readonly stored: number;
  readonly target: number;
}

export interface StoredMessage extends Omit<VersionRow, "messageBytes"> {
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
  /**
   * Columns that hold what no vault writes (a number beyond 2^53, a date that is none), by their names; left out when
   * none does. What is damaged is null above.
   */
  readonly damage?: string;
}

export interface RecordRead extends RecordRows {
  /** The version asked for, null when its row is absent. */
  readonly stored: StoredMessage | null;
}

export interface RecordVersions extends RecordRows {
  /** Newest first. */
  readonly versions: readonly VersionRow[];
}

/** A wrap that a version should have and has not. */
export interface MissingWrap {
  readonly region: string;
  readonly keyArn: string;
  readonly reason: string;
}

/** A new version on top of the head that it was prepared against. */
export interface WriteChange {
  readonly kind: "write";
  readonly address: Address;
  /** The head as it was read; null: there was none. */
  readonly base: Head | null;
  readonly next: StoredMessage;
  readonly missing: readonly MissingWrap[];
}

/** All versions' rows go; the head becomes a tombstone with `tombstone` as its number. */
export interface RemoveChange {
  readonly kind: "remove";
  readonly address: Address;
  /**
   * Null: version rows without a head, which only a hand in the database leaves behind. `damaged`: rows on which nobody
   * builds; they go whatever they hold.
   */
  readonly base: Head | "damaged" | null;
  /** The highest number the record ever had. */
  readonly tombstone: Version;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
}

export type Change = WriteChange | RemoveChange;

export type CommitResult =
  | { readonly kind: "committed" }
  /** Nothing was changed; `conflicts` are the indices of the changes whose head had moved. */
  | { readonly kind: "conflict"; readonly conflicts: readonly number[] };

/** A record as a list finds it. Nothing of it is authentic, not even that its id is one. */
export interface ListedRecord extends RecordRows {
  /** Cut when it is longer than an id may be. */
  readonly id: string;
  /** Where the list goes on behind it. */
  readonly position: Uint8Array;
  /** When the newest version was written: ISO 8601, UTC; null when the row holds no date. */
  readonly updatedAt: string | null;
}

/** A collection as it lies in the store: its name may be none. */
export interface FoundCollection {
  readonly name: string;
  readonly records: number;
}

export interface WrapDebt {
  /** Versions that have fewer wraps than their target. */
  readonly items: number;
  /** `oldest`: null when no date is told. */
  readonly regions: readonly { readonly region: string; readonly items: number; readonly oldest: string | null }[];
}

/** One version of one record. */
export interface VersionPlace extends Address {
  readonly version: Version;
}

/** A version that has fewer wraps than it should. */
export interface OwedVersion extends VersionPlace {
  /** Where a wrap is missing, in order of the key's ARN, and what the region said when the message was sealed. */
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  /** Since when: ISO 8601, UTC. */
  readonly since: string;
  /** Repairs of it that failed one after the other. */
  readonly attempts: number;
  /** Why the last repair failed, null when none has. */
  readonly lastProblem: { readonly code: string; readonly at: string } | null;
}

/** Where a list of owed versions goes on. */
export interface DebtPosition {
  readonly collection: Uint8Array;
  readonly id: Uint8Array;
  /** In decimal digits: a row may hold a number that no version has. */
  readonly version: string;
}

/** An owed version as a list finds it: `owed` is null when its row holds what no vault writes. */
export interface FoundDebt {
  readonly owed: OwedVersion | null;
  readonly collection: string;
  readonly id: string;
  readonly position: DebtPosition;
}

/** Moments of claims are milliseconds since the epoch. */
export interface ClaimRequest {
  /** Who claims: a name that nobody else has. */
  readonly holder: string;
  /** Only versions that owe a wrap here. */
  readonly region: string;
  readonly limit: number;
  readonly now: number;
  /** When the claim ends, whatever becomes of the holder. */
  readonly until: number;
}

export interface ClaimedVersion extends VersionPlace {
  readonly attempts: number;
}

/** A claim given back unpaid. */
export interface ClaimRelease {
  readonly holder: string;
  readonly place: VersionPlace;
  /** From when it may be claimed again. */
  readonly dueAt: number;
  /** Why the repair failed; null when none was tried. */
  readonly problem: { readonly code: string; readonly at: string } | null;
}

/** The same version in a new message, or under an account of its debt that was corrected. */
export interface RepairChange {
  readonly place: VersionPlace;
  /** The message as it was read: nothing is changed unless it still is exactly this. */
  readonly base: Uint8Array;
  /** Null: the message stays. */
  readonly message: Uint8Array | null;
  readonly wraps: WrapCount;
  /** What is owed from now on; the other debts of the version are paid. */
  readonly missing: readonly MissingWrap[];
  /** From when the rest may be claimed. */
  readonly dueAt: number;
  /** ISO 8601, UTC: since when what was not owed before is owed. */
  readonly at: string;
}

/** `overtaken`: the message is another one by now, or is gone; nothing was changed. */
export type RepairResult = "repaired" | "overtaken";

export interface RecordStore {
  /** The heads of these records, in their order. */
  heads(addresses: readonly Address[]): Promise<readonly RecordRows[]>;
  /** A record with the message of one version; `version` null: the head's. */
  read(address: Address, version: Version | null): Promise<RecordRead>;
  /** A record with what is known of all its versions. */
  versions(address: Address): Promise<RecordVersions>;
  /**
   * Makes all changes or none. The records of one call may repeat: a later change then has the earlier one's result as
   * its base.
   */
  commit(changes: readonly Change[]): Promise<CommitResult>;
  /**
   * Records after the position `after`, in order of id; null when the collection never had a record. Those whose rows
   * do not fit together are among them; only what was removed, and has no rows, is not.
   */
  list(
    collection: Collection,
    page: { readonly after: Uint8Array | null; readonly limit: number },
  ): Promise<readonly ListedRecord[] | null>;
  collections(): Promise<readonly FoundCollection[]>;
  wrapDebt(): Promise<WrapDebt>;
  /** Owed versions after `after` (exclusive), in order of collection, id and version. */
  debts(page: { readonly after: DebtPosition | null; readonly limit: number }): Promise<readonly FoundDebt[]>;
  /** Regions that are owed a wrap which may be claimed at `now`. Quick however much is owed. */
  dueRegions(now: number): Promise<readonly string[]>;
  /** Claims owed versions that are due, those never tried first. */
  claimDebts(request: ClaimRequest): Promise<readonly ClaimedVersion[]>;
  /** Gives a claim back. `gone`: it is not the holder's any more, and nothing was changed. */
  releaseDebt(release: ClaimRelease): Promise<"released" | "gone">;
  /** Makes the whole change, or none of it. */
  repair(change: RepairChange): Promise<RepairResult>;
  /**
   * Resolves when there is room for more. Asked before anything is sealed, so that a full disk costs no call of a KMS.
   *
   * @throws VaultError `store-full`
   */
  requireRoom(): Promise<void>;
  /** Resolves when the store can answer. For a readiness check: it must not wait for a writer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
