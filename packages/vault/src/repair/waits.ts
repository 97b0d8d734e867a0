/**
 * How long a version waits after a repair that failed, by whose fault it was.
 */
import type { VaultErrorCode } from "../errors.ts";
import type { RepairSettings } from "./settings.ts";

/**
 * `region`: others fail there too, and it passes. `caller`: it was told to end. `item`: this version only, until a
 * person sees to it. `store`: nothing can be written now.
 */
export type Fault = "region" | "caller" | "item" | "store";

/** Codes that are not the version's own fault. */
const FAULTS: Readonly<Partial<Record<VaultErrorCode, Fault>>> = {
  "regions-unavailable": "region",
  "wraps-below-minimum": "region",
  "wraps-still-missing": "region",
  "deadline-exceeded": "region",
  aborted: "caller",
  "store-full": "store",
  "store-failed": "store",
  "store-closed": "store",
};

export function faultOf(code: VaultErrorCode): Fault {
  return FAULTS[code] ?? "item";
}

/** The wait after so many failures one after the other, in milliseconds. */
export function waitMs(fault: "region" | "item", failures: number, settings: RepairSettings): number {
  const [first, longest] =
    fault === "item"
      ? [settings.itemWaitMs, settings.longestItemWaitMs]
      : [settings.regionWaitMs, settings.longestRegionWaitMs];
  return Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
}
