/**
 * Hedging: a second region is asked beside one that keeps us waiting. After how long (LatencyWindow, hedgeDelayMs), how
 * often (HedgeBudget), and where it would do harm (Hedging).
 */
import type { RegionAttempt, RegionOperation } from "../errors.ts";
import type { StartReason } from "../resilience/calls.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import { publish } from "./telemetry.ts";
import type { Counters, RegionId } from "./telemetry.ts";

/** Samples kept: 5 % of them are enough (6) for a p95 that one outlier does not move. */
const CAPACITY = 128;
/** Quantiles are computed again after this many new samples: sorting at every call would cost more than it tells. */
const REFRESH_EVERY = 8;

export interface LatencyQuantiles {
  readonly p50: number;
  readonly p95: number;
}

/**
 * The latencies of the last successful calls to one region, in constant memory. Failures are not recorded: a refusal is
 * quick and a time-out is as long as we chose, so neither says how fast the region is.
 */
export class LatencyWindow {
  readonly #samples = new Float64Array(CAPACITY);
  #count = 0;
  #next = 0;
  #unsorted = 0;
  #quantiles: LatencyQuantiles | null = null;

  /** Records one successful call's duration. Anything but a finite, non-negative number is ignored. */
  record(elapsedMs: number): void {
    if (!Number.isFinite(elapsedMs) || elapsedMs < 0) return;
    this.#samples[this.#next] = elapsedMs;
    this.#next = (this.#next + 1) % CAPACITY;
    this.#count = Math.min(CAPACITY, this.#count + 1);
    this.#unsorted += 1;
  }

  get size(): number {
    return this.#count;
  }

  /** Nearest-rank quantiles of what the window holds, at most a few samples old; null while it is empty. */
  quantiles(): LatencyQuantiles | null {
    if (this.#count === 0) return null;
    const due = this.#count < CAPACITY ? this.#unsorted > 0 : this.#unsorted >= REFRESH_EVERY;
    if (this.#quantiles === null || due) {
      const sorted = this.#samples.slice(0, this.#count).sort();
      this.#quantiles = { p50: nearestRank(sorted, 0.5), p95: nearestRank(sorted, 0.95) };
      this.#unsorted = 0;
    }
    return this.#quantiles;
  }
}

function nearestRank(sorted: Float64Array, quantile: number): number {
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
}

export interface HedgeDelayRules {
  readonly hedgeMinMs: number;
  readonly hedgeMaxMs: number;
  readonly hedgeMinSamples: number;
}

/**
 * How long to wait for a region before the next one is asked beside it: its p95 within the given bounds. A region with
 * too few samples gets the upper bound: its first calls open connections and say nothing about its speed.
 */
export function hedgeDelayMs(window: LatencyWindow, rules: HedgeDelayRules): number {
  const quantiles = window.size < rules.hedgeMinSamples ? null : window.quantiles();
  if (quantiles === null) return rules.hedgeMaxMs;
  return Math.min(rules.hedgeMaxMs, Math.max(rules.hedgeMinMs, quantiles.p95));
}

export interface HedgeBudgetRules {
  /** Extra calls earned by one ordinary call. */
  readonly hedgeRatio: number;
  /** Most extra calls that can be saved up; the budget starts full so that the first outage is already hedged. */
  readonly hedgeReserve: number;
}

/**
 * What hedged calls may cost: every ordinary call earns a fraction of an extra one, up to a reserve. When many regions
 * slow down at once the reserve runs dry and hedging stops, instead of doubling the load on what is already in trouble.
 */
export class HedgeBudget {
  readonly #rules: HedgeBudgetRules;
  #saved: number;

  constructor(rules: HedgeBudgetRules) {
    this.#rules = rules;
    this.#saved = rules.hedgeReserve;
  }

  /** Extra calls that could be made now. */
  get saved(): number {
    return this.#saved;
  }

  /** An ordinary call was made. */
  earn(): void {
    this.#saved = Math.min(this.#rules.hedgeReserve, this.#saved + this.#rules.hedgeRatio);
  }

  /** Takes one extra call; false when there is none. */
  spend(): boolean {
    // A sum of 0.04s is 0.9999… when it should be 1.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved = Math.max(0, this.#saved - 1);
    return true;
  }
}

/** What hedging has to know of a region. */
export interface HedgeCandidate {
  readonly id: RegionId;
  readonly state: { readonly hedgeDelayMs: number; readonly isReady: boolean; readonly isOverloaded: boolean };
}

/** One keyring's hedging: decides, pays from the budget, and counts what was decided. */
export class Hedging {
  readonly budget: HedgeBudget;
  readonly #counters: Counters;
  readonly #longestMs: number;

  constructor(settings: ResilienceSettings, counters: Counters) {
    this.budget = new HedgeBudget(settings);
    this.#counters = counters;
    this.#longestMs = settings.hedgeMaxMs;
  }

  /**
   * How long to wait for `region` before one of `others` is asked beside it: its p95 where one of them is healthy.
   * Where all of them rest, the longest wait: one call in twenty is slower than p95, and lost regions are not to be
   * flooded with those.
   */
  patienceMs(region: HedgeCandidate, others: readonly HedgeCandidate[]): number {
    return others.some(({ state }) => state.isReady) ? region.state.hedgeDelayMs : this.#longestMs;
  }

  /**
   * Takes an extra call from the budget. Never for a region that throttles or is busy, nor after one throttled in this
   * operation: calls added to an overload make it worse.
   */
  mayHedge(next: HedgeCandidate, operation: RegionOperation, attempts: readonly RegionAttempt[]): boolean {
    if (next.state.isOverloaded || attempts.some(({ reason }) => reason === "throttled")) return false;
    if (this.budget.spend()) return true;
    this.#counters.add("hedgesDenied");
    const { id } = next;
    publish(() => ({ kind: "hedge-denied", ...id, operation }));
    return false;
  }

  /** A call of a race was started. Calls that would have been made anyway earn extra ones. */
  started(reason: StartReason): void {
    if (reason === "hedge") this.#counters.add("hedges");
    else this.budget.earn();
    if (reason === "failover") this.#counters.add("failovers");
  }

  /** A hedged call was the first to answer. */
  won(): void {
    this.#counters.add("hedgesWon");
  }
}
