/**
 * Whether a repair may put new wraps in the place of those that are there.
 */
import type { InspectedDataKey } from "@strongroom/envelope";
import { VaultError } from "../errors.ts";
import type { MissingWrap } from "../stores/wrap-set.ts";

/** Whether new wraps take the place of the old ones. */
export type RepairDecision =
  /** They are in every region that the old ones are in, and in `gained` besides. */
  | { readonly kind: "replace"; readonly gained: readonly string[] }
  /** They are no better, and nothing is missing: the old ones meet what is configured by now. */
  | { readonly kind: "settled" };

/** Where a wrap is. */
export type WrapPlace = Pick<InspectedDataKey, "providerId" | "keyInfo" | "region">;

/**
 * Decides whether new wraps may take the place of those that a version or a key has. Wraps only ever grow: what would
 * lose a region is never taken, however many others it has. Leaving a region is a decision, not a side effect of a
 * repair.
 *
 * @throws VaultError `wraps-still-missing` when regions gave no wrap this time either; `wraps-would-be-lost` when none
 *   is missing, but there is a wrap in a place that is not configured any more
 */
export function decideRepair(
  before: readonly WrapPlace[],
  after: readonly WrapPlace[],
  missing: readonly MissingWrap[],
): RepairDecision {
  const had = new Set(before.map(placeName));
  const has = new Set(after.map(placeName));
  const gained = [...has].filter((wrap) => !had.has(wrap));
  const lost = [...had].filter((wrap) => !has.has(wrap));
  if (lost.length === 0 && after.length >= before.length) {
    if (gained.length > 0) return { kind: "replace", gained };
    if (missing.length === 0) return { kind: "settled" };
  }
  if (missing.length > 0) throw stillMissing(missing);
  throw new VaultError(
    "wraps-would-be-lost",
    "There is a wrap in a region that is not configured as wanted any more; a repair does not take wraps away",
  );
}

/** Nothing was gained, and something is missing still. */
export function stillMissing(missing: readonly MissingWrap[]): VaultError {
  const regions = missing.map(({ region, reason }) => ({ region, reason }));
  const listed = regions.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  return new VaultError("wraps-still-missing", `Regions gave no wrap (${listed})`, { regions });
}

/** Where a wrap is, in a word. Keys without a region are places of their own. */
export function placeName({ region, providerId, keyInfo }: WrapPlace): string {
  return region ?? `${providerId} ${keyInfo}`;
}
