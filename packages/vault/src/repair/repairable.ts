/**
 * What the repair works on: the versions of a record store, the keys of a key store. A round is the same for both; what
 * it is to repair one of them is not.
 */
import type { VaultErrorCode } from "../errors.ts";
import type { Inventory } from "../stores/inventory.ts";
import type { JobStore, Lease } from "../stores/jobs.ts";
import type { VersionPlace } from "../stores/rows.ts";

/** What became of an item that was repaired. */
export type RepairOutcome =
  /** The item has wraps in `gained` now. */
  | { readonly kind: "repaired"; readonly gained: readonly string[] }
  /** Nothing is owed any more by what is configured by now; the item stayed. */
  | { readonly kind: "settled" }
  /** A writer, a removal or another repair was faster; nothing was changed. */
  | { readonly kind: "overtaken" };

/** The part of an inventory that finds what is owed, whatever it is an inventory of. */
export type OwedInventory<Place> = Pick<Inventory<Place>, "sets" | "counts" | "any" | "list" | "fail">;

/** Things that have wraps, in one store. */
export interface Repairable<Place = VersionPlace> {
  /** The job's name. */
  readonly job: string;
  readonly inventory: OwedInventory<Place>;
  /** Of the same store: a lease holds where it is named. */
  readonly jobs: JobStore;
  /** What is told of an item whose row holds what nobody writes. */
  readonly damaged: VaultErrorCode;
  /**
   * Repairs one item, if it is still there as it was read and the lease is still held.
   *
   * @throws VaultError
   */
  repair(place: Place, lease: Lease): Promise<RepairOutcome>;
}
