/**
 * Whether a version's new message may take the place of the one it has. Wraps only ever grow: a message that would lose
 * a region is never taken, however many others it has. Leaving a region is a decision, not a side effect of a repair.
 */
import type { InspectedDataKey } from "@strongroom/envelope";
import { VaultError } from "../errors.ts";
import type { MissingWrap } from "../store.ts";

export type Verdict =
  /** It has every region that the old one has, and `gained` besides. */
  | { readonly kind: "replace"; readonly gained: readonly string[] }
  /** It is no better, and nothing is missing: the old one meets what is configured by now. */
  | { readonly kind: "settled" };

export type WrapPlace = Pick<InspectedDataKey, "providerId" | "keyInfo" | "region">;

/**
 * @throws VaultError `wraps-still-missing` when regions gave no wrap this time either; `wraps-would-be-lost` when none
 *   is missing, but the old message has a wrap in a place that is not configured any more
 */
export function verdict(
  before: readonly WrapPlace[],
  after: readonly WrapPlace[],
  missing: readonly MissingWrap[],
): Verdict {
  const had = new Set(before.map(place));
  const has = new Set(after.map(place));
  const gained = [...has].filter((one) => !had.has(one));
  const lost = [...had].filter((one) => !has.has(one));
  if (lost.length === 0 && after.length >= before.length) {
    if (gained.length > 0) return { kind: "replace", gained };
    if (missing.length === 0) return { kind: "settled" };
  }
  if (missing.length > 0) {
    const regions = missing.map(({ region, reason }) => ({ region, reason }));
    throw new VaultError(
      "wraps-still-missing",
      `Regions gave no wrap (${regions.map(({ region, reason }) => `${region}: ${reason}`).join(", ")})`,
      { regions },
    );
  }
  throw new VaultError(
    "wraps-would-be-lost",
    "The message has a wrap in a region that is not configured as wanted any more; a repair does not take wraps away",
  );
}

/** Keys without a region are places of their own. */
function place({ region, providerId, keyInfo }: WrapPlace): string {
  return region ?? `${providerId} ${keyInfo}`;
}
