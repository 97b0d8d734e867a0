/**
 * The numbers of the repair of owed wraps: how fast, how often, how long. Every number has its default, and why, in one
 * constant.
 */
import { VaultError } from "../errors.ts";

/** Times are in milliseconds. */
export interface RepairSettings {
  /** Versions begun per second, at most. Each costs one call to open it and one a region to seal it anew. */
  readonly itemsPerSecond: number;
  /** Versions under repair at the same time. */
  readonly atOnce: number;
  /** Versions claimed together, in one transaction. */
  readonly claimItems: number;
  /** How long a claim holds. A process that died keeps its versions from the others for as long as this. */
  readonly leaseMs: number;
  /**
   * Longest time between two looks for what is owed, and between two attempts in a region that is not known to be up.
   */
  readonly intervalMs: number;
  /** How often the regions' health is looked at meanwhile. Costs no call. */
  readonly lookMs: number;
  /** First and longest wait of a version after a region failed it; the wait doubles from the one to the other. */
  readonly regionWaitMs: number;
  readonly longestRegionWaitMs: number;
  /** The same after the version itself was the reason: its message is not authentic, or its keys are not configured. */
  readonly itemWaitMs: number;
  readonly longestItemWaitMs: number;
}

export const DEFAULT_REPAIR_SETTINGS: RepairSettings = {
  /**
   * An outage of a minute at a hundred writes a second is paid in a minute, with a few hundred calls a second of the
   * thousands that a KMS allows.
   */
  itemsPerSecond: 100,
  /** A hundred a second where the farthest region is 80 ms away. */
  atOnce: 8,
  /** A claim is a write to disk; more at once would keep a second process idle. */
  claimItems: 24,
  /** Far beyond what opening and sealing may take together, four seconds by default. */
  leaseMs: 60_000,
  /** A region that is back and that nobody else calls is noticed within this. */
  intervalMs: 5_000,
  lookMs: 500,
  regionWaitMs: 1_000,
  longestRegionWaitMs: 10_000,
  /** A damaged row stays so until a person has seen to it. */
  itemWaitMs: 60_000,
  longestItemWaitMs: 3_600_000,
};

/** @throws VaultError `limit-invalid` listing every setting that is not a whole number from 1 or has an unknown name */
export function parseRepairSettings(given: Partial<RepairSettings>): RepairSettings {
  const problems = Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    if (!Object.hasOwn(DEFAULT_REPAIR_SETTINGS, name)) return [`${name} is not a setting`];
    return Number.isSafeInteger(value) && (value as number) >= 1 ? [] : [`${name} must be a whole number from 1`];
  });
  if (problems.length > 0) throw new VaultError("limit-invalid", `repair: ${problems.join("; ")}`);
  return { ...DEFAULT_REPAIR_SETTINGS, ...given };
}
