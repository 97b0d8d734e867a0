/**
 * What is known of one region and key from the calls made to it: a small state machine fed with facts and times, so
 * that it can be tested without a clock.
 */
import type { RegionFailureKind } from "../../errors/attempts.ts";

export interface RegionHealth {
  readonly region: string;
  readonly keyArn: string;
  /** By the last call that says anything; `unknown` before the first. */
  readonly state: "up" | "down" | "unknown";
  /** Over the last successful calls, null before the first. */
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
  readonly calls: number;
  readonly failures: number;
  readonly lastFailure: { readonly kind: RegionFailureKind; readonly at: string } | null;
  readonly lastSuccessAt: string | null;
}

/** Failures that say nothing about the region: the caller gave up, or the ciphertext is not this key's. */
const NOT_THE_REGION: ReadonlySet<RegionFailureKind> = new Set<RegionFailureKind>(["aborted", "invalid-ciphertext", "wrong-data-key"]);

/** How long a region that failed is asked last instead of in its turn. Bounds how late a recovery is noticed. */
export const REST_MS = 5_000;
const LATENCIES_KEPT = 64;

export class RegionHealthRecord {
  readonly #region: string;
  readonly #keyArn: string;
  readonly #latencies: number[] = [];
  #state: RegionHealth["state"] = "unknown";
  #calls = 0;
  #failures = 0;
  #lastFailure: RegionHealth["lastFailure"] = null;
  #lastSuccessAt: string | null = null;
  #restsUntil = -Infinity;

  constructor(region: string, keyArn: string) {
    this.#region = region;
    this.#keyArn = keyArn;
  }

  succeeded(latencyMs: number, at: Date): void {
    this.#calls++;
    this.#latencies.push(latencyMs);
    if (this.#latencies.length > LATENCIES_KEPT) this.#latencies.shift();
    this.#state = "up";
    this.#restsUntil = -Infinity;
    this.#lastSuccessAt = at.toISOString();
  }

  failed(kind: RegionFailureKind, at: Date): void {
    this.#calls++;
    if (NOT_THE_REGION.has(kind)) return;
    this.#markDown(kind, at);
  }

  /** The region answered, and another region's answer showed that it lied. */
  lied(kind: RegionFailureKind, at: Date): void {
    this.#markDown(kind, at);
  }

  #markDown(kind: RegionFailureKind, at: Date): void {
    this.#failures++;
    this.#lastFailure = { kind, at: at.toISOString() };
    this.#state = "down";
    this.#restsUntil = at.getTime() + REST_MS;
  }

  /** Whether the region failed so recently that others go first. */
  isResting(at: Date): boolean {
    return at.getTime() < this.#restsUntil;
  }

  /** Why it was last found down. */
  get lastFailureKind(): RegionFailureKind | null {
    return this.#lastFailure?.kind ?? null;
  }

  snapshot(): RegionHealth {
    return {
      region: this.#region,
      keyArn: this.#keyArn,
      state: this.#state,
      latencyMs: this.#latencies.length === 0 ? null : { p50: percentile(this.#latencies, 0.5), p95: percentile(this.#latencies, 0.95) },
      calls: this.#calls,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      lastSuccessAt: this.#lastSuccessAt,
    };
  }
}

/** Nearest-rank percentile. */
function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil(fraction * sorted.length) - 1);
  return Math.round((sorted[rank] ?? 0) * 100) / 100;
}
