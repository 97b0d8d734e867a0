/**
 * Which region is asked next. The configured order, healthy ones first; a region that rests is asked only when no other
 * is left, because a read that one region could still answer must not fail.
 */
import type { RegionFailureKind } from "../../errors.ts";
import { FAILURE_RULES } from "../../resilience/failure-rules.ts";
import type { RegionCaller } from "../../multi-region/region.ts";
import type { Outlook } from "../../multi-region/region-state.ts";

const RANK: Readonly<Record<Outlook, number>> = { ordinary: 0, probe: 1, crowded: 2, throttled: 3, resting: 4 };

/** The first of the best-ranked of `candidates`; null when there are none. */
export function nextInOrder<C extends { readonly caller: RegionCaller }>(candidates: Iterable<C>): C | null {
  let best: C | null = null;
  let bestRank = Infinity;
  for (const candidate of candidates) {
    const rank = RANK[candidate.caller.watch.outlook()];
    if (rank < bestRank) [best, bestRank] = [candidate, rank];
  }
  return best;
}

/** Whether a region may still be asked in an operation in which it failed so. */
export function mayAskAgain(reason: RegionFailureKind): boolean {
  return FAILURE_RULES[reason].sameRegion === "ask-again";
}
