/**
 * What a job works on: the versions of a record store, the keys of a key store. A round is the same for all of them;
 * which wrap sets want something, and what is done to one item, is not. Repair of what is owed is the smallest such
 * work; a rotation, a new region and a key that is left are others.
 */
import type { VaultErrorCode } from "../errors.ts";
import type { Inventory } from "../stores/inventory.ts";
import type { JobStore, Lease } from "../stores/jobs.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";

/** What became of an item. */
export type WorkOutcome =
  /**
   * The item has wraps in `gained` now: regions, or names of keys that live in none. `isPartial`: it lacks others
   * still, and is not done.
   */
  | { readonly kind: "repaired"; readonly gained: readonly string[]; readonly isPartial?: true }
  /** Nothing is wanted of it any more by what is configured by now; the item stayed. */
  | { readonly kind: "settled" }
  /** A writer, a removal or another worker was faster; nothing was changed. `isGone`: the item is not there by now. */
  | { readonly kind: "overtaken"; readonly isGone?: true }
  /** Something else comes first; nothing was changed, and the item is as due as it was. */
  | { readonly kind: "waits" };

/** What became of an item that was begun. */
export type EndedOutcome = Exclude<WorkOutcome, { readonly kind: "waits" }>;

/** The part of an inventory that finds what is to be done, whatever it is an inventory of. */
export type WorkInventory<Place> = Pick<Inventory<Place>, "sets" | "counts" | "any" | "list" | "fail">;

/** Wrap sets whose items are to be worked on, each with the regions of which one must answer; none: none need. */
export type WantedSets = ReadonlyMap<WrapSetId, readonly string[]>;

/** Things that have wraps, in one store, and what is to be done to them. */
export interface Work<Place = VersionPlace> {
  /** The job's name. */
  readonly job: string;
  readonly inventory: WorkInventory<Place>;
  /** Of the same store: a lease holds where it is named. */
  readonly jobs: JobStore;
  /** What is told of an item whose row holds what nobody writes. */
  readonly damaged: VaultErrorCode;
  /** Which wrap sets want something now. */
  wanted(): Promise<WantedSets>;
  /**
   * Does it to one item, if that is still there as it was read and the lease is still held.
   *
   * @param since when it got the wrap set that it had when it was found: ISO 8601, UTC; null: no date is told
   * @throws VaultError
   */
  converge(place: Place, lease: Lease, since: string | null): Promise<WorkOutcome>;
}
