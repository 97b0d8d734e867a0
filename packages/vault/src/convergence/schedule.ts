/**
 * When and where owed wraps are paid: at what pace, after which wait, in which regions. Every number has its default,
 * and why, in one constant.
 */
import type { VaultErrorCode } from "../errors.ts";
import { parseNumbers } from "../limits.ts";

/** How fast and how often owed wraps are paid. Times are in milliseconds. */
export interface RepairSettings {
  /** Versions begun per second, at most. Each costs one call to open it and one a region to seal it anew. */
  readonly itemsPerSecond: number;
  /** Versions under repair at the same time. */
  readonly atOnce: number;
  /** Versions taken together from the inventory; after so many the partition's lease is renewed. */
  readonly claimItems: number;
  /** The same two of a run of the convergence, whose rate says how fast it goes. */
  readonly convergeAtOnce: number;
  readonly convergeItems: number;
  /** How long a lease holds. A process that died keeps its partition from the others for as long as this. */
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

/** The settings of a repair that was started without others. */
export const DEFAULT_REPAIR_SETTINGS: RepairSettings = {
  /**
   * An outage of a minute at a hundred writes a second is paid in a minute, with a few hundred calls a second of the
   * thousands that a KMS allows.
   */
  itemsPerSecond: 100,
  /** A hundred a second where the farthest region is 80 ms away. */
  atOnce: 8,
  /** Renewing a lease is a write to disk. Few, so that what the process has done is known soon when it dies. */
  claimItems: 24,
  /** A KMS some way off answers in tens of milliseconds: so many at once keep it busy at a thousand calls a second. */
  convergeAtOnce: 64,
  /** A lease is renewed with each: half a second's work, or a few seconds' at the rate of 100. */
  convergeItems: 500,
  /** Far beyond what opening and sealing of so many may take together. */
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
  return parseNumbers("repair", "a setting", given, DEFAULT_REPAIR_SETTINGS);
}

/** More turns than this are never taken ahead: the versions under repair at once, at the slowest rate. */
const LONGEST_QUEUE_MS = 3_600_000;

/**
 * Spreads starts evenly: no more than so many a second, and none saved up for a burst.
 */
export class Pace {
  readonly #gapMs: number;
  #next = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#gapMs = 1000 / perSecond;
  }

  /** Takes the next turn; how long it is until then, in milliseconds. */
  turn(now: number): number {
    // A clock that was set back leaves a turn far ahead: forget it.
    const ahead = this.#next - now;
    const wait = ahead > 0 && ahead <= LONGEST_QUEUE_MS + this.#gapMs ? ahead : 0;
    this.#next = now + wait + this.#gapMs;
    return wait;
  }
}

/**
 * `region`: others fail there too, and it passes. `caller`: it was told to end. `item`: this version only, until a
 * person sees to it. `load`: this process has too much to do, for which no region answers. `store`: nothing can be
 * written now.
 */
export type FailureOrigin = "region" | "caller" | "item" | "load" | "store";

/** Codes that are not the version's own fault. */
const ORIGINS: Readonly<Partial<Record<VaultErrorCode, FailureOrigin>>> = {
  "regions-unavailable": "region",
  "wraps-below-minimum": "region",
  "wraps-still-missing": "region",
  "deadline-exceeded": "region",
  "keyring-overloaded": "load",
  "key-set-moved": "load",
  aborted: "caller",
  "key-set-unknown": "store",
  "outcome-unknown": "store",
  "store-newer": "store",
  "store-altered": "store",
  "store-replaced": "store",
  "store-set-back": "store",
  "store-full": "store",
  "store-failed": "store",
  "store-closed": "store",
};

/** Where a repair's failure comes from. */
export function originOf(code: VaultErrorCode): FailureOrigin {
  return ORIGINS[code] ?? "item";
}

/** The wait after so many failures one after the other, in milliseconds. */
export function waitMs(origin: "region" | "item", failures: number, settings: RepairSettings): number {
  const [first, longest] =
    origin === "item"
      ? [settings.itemWaitMs, settings.longestItemWaitMs]
      : [settings.regionWaitMs, settings.longestRegionWaitMs];
  return Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
}

/** What the repair needs of a region's health; the keyring of `@strongroom/envelope/aws-kms` tells more. */
export interface RegionHealth {
  readonly region: string;
  readonly state: "up" | "down" | "unknown";
}

/** `open`: repair as much as there is. `trial`: one version, to find out. `closed`: wait. */
export type Access = "open" | "trial" | "closed";

interface KnownRegion {
  state: RegionHealth["state"];
  /** What the last repair that needed it showed. */
  proof: "gained" | "missed" | "none";
  triedAt: number;
}

/**
 * In which regions repairs may go on: a state machine without a clock of its own. A region that is up is open. One that
 * is not known to be up, or that failed the last repair, is tried with one version in an interval, and opened by its
 * success.
 */
export class RegionGate {
  readonly #intervalMs: number;
  readonly #states = new Map<string, KnownRegion>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Takes in the regions' health. True when a region has come up: what failed before may work now, also in other
   * regions.
   */
  look(health: readonly RegionHealth[]): boolean {
    let cameUp = false;
    for (const { region, state } of health) {
      const known = this.#of(region);
      if (state === "up" && known.state === "down") cameUp = true;
      known.state = state;
    }
    if (cameUp) for (const known of this.#states.values()) if (known.proof === "missed") known.proof = "none";
    return cameUp;
  }

  access(region: string, now: number): Access {
    const { state, proof, triedAt } = this.#of(region);
    const open = state === "up" ? proof !== "missed" : state === "unknown" && proof === "gained";
    if (open) return "open";
    // A clock that was set back must not close a region for long.
    return now - triedAt >= this.#intervalMs || now < triedAt ? "trial" : "closed";
  }

  /** A trial begins. */
  tried(region: string, now: number): void {
    this.#of(region).triedAt = now;
  }

  gained(region: string): void {
    this.#of(region).proof = "gained";
  }

  /** A repair that needed the region came to nothing because of some region. */
  missed(region: string, now: number): void {
    const known = this.#of(region);
    known.proof = "missed";
    known.triedAt = now;
  }

  #of(region: string): KnownRegion {
    const known = this.#states.get(region);
    if (known !== undefined) return known;
    const unknown: KnownRegion = { state: "unknown", proof: "none", triedAt: Number.NEGATIVE_INFINITY };
    this.#states.set(region, unknown);
    return unknown;
  }
}
