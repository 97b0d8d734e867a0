/**
 * The latencies of the last successful calls to one region, in constant memory, and the hedge delay that follows from
 * them. Failures are not recorded: a refusal is quick and a time-out is as long as we chose, so neither says how fast
 * the region is.
 */

/** Samples kept: 5 % of them are enough (6) for a p95 that one outlier does not move. */
const CAPACITY = 128;
/** Quantiles are computed again after this many new samples: sorting at every call would cost more than it tells. */
const REFRESH_EVERY = 8;

export interface LatencyQuantiles {
  readonly p50: number;
  readonly p95: number;
}

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
