/**
 * The inventory: under which wraps everything lies. It counts by wrap set, proves that a set is gone, finds what owes a
 * wrap, and puts a version's new message in the place of the old one.
 */
import type { Epoch } from "./gate.ts";
import type { Lease } from "./jobs.ts";
import type { Stamp, VersionPlace } from "./rows.ts";
import type { WrapSet, WrapSetId } from "./wrap-set.ts";

/** Versions are spread over so many buckets by their record's address, so that workers share them out. */
export const BUCKETS = 256;

/** Buckets from `from` up to, and without, `to`. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** A wrap set that versions have, or once had. `set` is null when its row holds what no vault writes. */
export interface KnownWrapSet {
  readonly id: WrapSetId;
  readonly set: WrapSet | null;
}

/** How many versions have a wrap set. */
export interface WrapSetCount {
  readonly id: WrapSetId;
  /** Not counted beyond the limit that was given. */
  readonly items: number;
  /** Since when the first of them has: ISO 8601, UTC; null when none has, or the row holds no date. */
  readonly oldest: string | null;
}

/** What a repair last came to grief on. */
export interface Failure {
  /** Repairs that failed one after the other. */
  readonly attempts: number;
  readonly code: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A version as the inventory finds it. */
export interface InventoryItem<Place = VersionPlace> {
  /** Null when its row holds what no vault writes. */
  readonly place: Place | null;
  /** As they lie in the store, cut. */
  readonly collection: string;
  readonly id: string;
  readonly wrapSet: WrapSetId;
  /** Since when it has that wrap set: ISO 8601, UTC; null when the row holds no date. */
  readonly since: string | null;
  readonly failure: Failure | null;
  /** Where the list goes on behind it: at most 2,048 characters that the store made, opaque to everyone else. */
  readonly position: string;
}

/** Which versions of the inventory. */
export interface InventoryPage {
  readonly sets: readonly WrapSetId[];
  /** Left out: all. */
  readonly buckets?: BucketRange;
  /** Only versions behind this position; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
  /** Left out: those too whose last repair failed and that are to wait. */
  readonly due?: true;
}

/** The same version in a new message, or under a corrected account of its wraps. */
export interface Rewrap {
  readonly place: VersionPlace;
  /** As it was read: nothing is changed unless it still is this. */
  readonly seen: Stamp;
  /** Of the gate, when the new message's data key was wrapped. */
  readonly epoch: Epoch;
  /** Null: the message stays. */
  readonly message: Uint8Array | null;
  /** With a message: the one before is kept (kept.ts), unless one is kept of the version already. */
  readonly keeps?: true;
  readonly wrapSet: WrapSet;
  /** ISO 8601, UTC: since when the version has the new set. */
  readonly at: string;
  /** Nothing is changed unless the lease is still held. Null: no job does it. */
  readonly lease: Lease | null;
}

/** `overtaken`: the version is another one by now or gone, or the lease is somebody else's; nothing was changed. */
export type RewrapResult =
  { readonly kind: "made" } | { readonly kind: "overtaken" } | { readonly kind: "gate-moved"; readonly epoch: Epoch };

/** The inventory of a store: of a record store over versions, of a key store over keys. */
export interface Inventory<Place = VersionPlace, Change = Rewrap> {
  /**
   * Every wrap set that there is: a handful. Numbers that versions have and that no set has are among them, with `set`
   * null: under which wraps those lie is not known, and must not pass for "under none that is asked for".
   */
  sets(): Promise<readonly KnownWrapSet[]>;
  /** How many versions have each of these sets. Costs what it counts: `atMost` bounds it, for each set. */
  counts(sets: readonly WrapSetId[], atMost: number): Promise<readonly WrapSetCount[]>;
  /** Whether any version has one of these sets. Quick however many there are: the proof that a key is not needed. */
  any(sets: readonly WrapSetId[]): Promise<boolean>;
  /** Versions that have one of these sets, in the store's own order: by set, bucket and `since`. */
  list(page: InventoryPage): Promise<readonly InventoryItem<Place>[]>;
  /**
   * Those whose last repair failed, whichever set they have, in an order of the store's own: by positions of theirs.
   *
   */
  failed(page: Pick<InventoryPage, "after" | "limit">): Promise<readonly InventoryItem<Place>[]>;
  /** Makes the whole change, or none of it. What failed before is forgotten when it is made. */
  rewrap(change: Change): Promise<RewrapResult>;
  /** Notes why a version could not be repaired, and that it is not due for a while. Not made without the lease. */
  fail(
    lease: Lease,
    place: Place,
    failure: { readonly code: string; readonly at: string; readonly waitMs: number },
  ): Promise<void>;
}
