/**
 * Messages that were replaced and are kept beside the new ones until nobody wants to go back: a version that was sealed
 * anew under other wrapping keys has its old message here, which those keys' loss does not touch. It goes with its
 * version. While it lies here it takes as much room as the version, and its wraps count as wraps that are there.
 */
import type { BucketRange, RewrapResult } from "./inventory.ts";
import type { Epoch } from "./gate.ts";
import type { Lease } from "./jobs.ts";
import type { Stamp, VersionPlace } from "./rows.ts";
import type { WrapSetId } from "./wrap-set.ts";

/** A message that is kept. */
export interface KeptItem {
  /** Null when its row holds what no vault writes. */
  readonly place: VersionPlace | null;
  readonly wrapSet: WrapSetId;
  /** Where the list goes on behind it: at most 2,048 characters that the store made. */
  readonly position: string;
}

/** The kept messages of a store. */
export interface KeptMessages {
  /** How many lie under each wrap set; those under none are left out. Not counted beyond the limit, for each set. */
  counts(atMost: number): Promise<readonly { readonly id: WrapSetId; readonly items: number }[]>;
  /** Whether any lies under one of these sets. */
  any(sets: readonly WrapSetId[]): Promise<boolean>;
  list(page: {
    readonly buckets?: BucketRange;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly KeptItem[]>;
  /** The message that is kept of a version; null: none is, or its row holds what no vault writes. */
  read(place: VersionPlace): Promise<{ readonly message: Uint8Array; readonly wrapSet: WrapSetId } | null>;
  /**
   * Puts the kept message back in the place of the version's, which goes. As a rewrap: nothing is changed unless the
   * version still is what was seen, at this epoch, under this lease.
   */
  restore(change: {
    readonly place: VersionPlace;
    readonly seen: Stamp;
    readonly epoch: Epoch;
    /** ISO 8601, UTC: since when the version has its old set again. */
    readonly at: string;
    readonly lease: Lease | null;
  }): Promise<RewrapResult>;
  /** Lets go of what is kept there, at most 1,000; nothing when the lease is somebody else's. */
  drop(items: readonly DroppedKept[], lease: Lease | null): Promise<void>;
}

/** A kept message by its version, or as the list tells where it lies: one of no version goes as well. */
export type DroppedKept = VersionPlace | Pick<KeptItem, "position">;
