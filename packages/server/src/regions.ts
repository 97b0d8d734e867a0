/**
 * What the server knows of the regions: asked of whoever has the keyring, which is not the server's to import.
 */

/** Whether calls to a region are let through. */
export type BreakerState = "closed" | "open" | "half-open";

/** Health of one region and key, as the envelope's multi-region keyring reports it. */
export interface RegionHealth {
  readonly region: string;
  readonly state: "up" | "down" | "unknown";
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
  readonly calls: number;
  readonly failures: number;
  readonly failuresByKind: Readonly<Record<string, number>>;
  readonly lastFailure: { readonly kind: string; readonly at: string } | null;
  readonly lastSuccessAt: string | null;
  /** `restMs`: until it is tried again, null while closed. */
  readonly breaker: { readonly state: BreakerState; readonly quarantined: boolean; readonly restMs: number | null };
  /** The rate it is limited to after throttling, null when it is not limited. */
  readonly callsPerSecond: number | null;
  readonly callsByPurpose: Readonly<Record<string, number>>;
  /** Calls that another region's answer made superfluous. */
  readonly overtaken: number;
  /** What needs somebody's attention, null when nothing does. */
  readonly alarm: { readonly kind: string; readonly since: string } | null;
}

/** The keyring's decisions that are counted, by the names that it gives them. */
export const REGION_COUNTERS = [
  "reads",
  "writes",
  "readsFailed",
  "writesFailed",
  "failovers",
  "hedges",
  "hedgesWon",
  "hedgesDenied",
  "substitutions",
  "writesBelowTarget",
  "overloaded",
  "proofs",
  "proofsFailed",
] as const;

/** How often the keyring took each of its decisions. */
export type RegionCounters = Readonly<Record<(typeof REGION_COUNTERS)[number], number>>;

/** One call to a region that has ended. */
export interface RegionCall {
  readonly region: string;
  readonly operation: string;
  readonly purpose: string;
  /** `answered`, `overtaken`, or how it failed. */
  readonly outcome: string;
  readonly elapsedMs: number;
}

/** Purposes of calls that no operation would have needed had every region been up and quick. */
const EXTRA: readonly string[] = ["hedge", "probe", "last-resort", "health-check"];

/** How many such calls a region has had. */
export function extraCalls({ callsByPurpose }: Pick<RegionHealth, "callsByPurpose">): number {
  return EXTRA.reduce((sum, purpose) => sum + (callsByPurpose[purpose] ?? 0), 0);
}

/** The regions of the vault's keyring. */
export interface Regions {
  /** Wraps that a write needs: so many regions must not be down. */
  readonly minimum: number;
  /** From the calls made so far; makes none. */
  health(): readonly RegionHealth[];
  /** Left out: the totals are not known. */
  counters?(): RegionCounters;
  /**
   * Calls `listener` after every call to a region, until the returned function is called. Left out: calls are not
   * measured.
   */
  onCall?(listener: (call: RegionCall) => void): () => void;
  /** Asks each region now. Left out: only real calls tell. */
  probe?(options: { readonly signal?: AbortSignal }): Promise<readonly RegionHealth[]>;
}

/** At most one probe in this many milliseconds, however often anyone asks. */
const PROBE_INTERVAL_MS = 1000;

/**
 * Regions as seen now. While a region is not known to be up it is probed: otherwise a service that lost its regions,
 * and is therefore sent no requests, would never learn that they are back.
 */
export class ProbedRegions {
  readonly #regions: Regions;
  #probing: Promise<void> | null = null;
  #probedAt = -Infinity;

  constructor(regions: Regions) {
    this.#regions = regions;
  }

  /** It changes with the key set that is in force. */
  get minimum(): number {
    return this.#regions.minimum;
  }

  counters(): RegionCounters | null {
    return this.#regions.counters?.() ?? null;
  }

  /** From the calls made so far; makes none. */
  seen(): readonly RegionHealth[] {
    return this.#regions.health();
  }

  onCall(listener: (call: RegionCall) => void): () => void {
    return this.#regions.onCall?.(listener) ?? (() => undefined);
  }

  async current(): Promise<readonly RegionHealth[]> {
    if (this.#regions.health().some(({ state }) => state !== "up")) await this.#probe();
    return this.#regions.health();
  }

  async #probe(): Promise<void> {
    if (this.#probing === null) {
      if (performance.now() - this.#probedAt < PROBE_INTERVAL_MS) return;
      this.#probing = this.#ask();
    }
    await this.#probing;
  }

  async #ask(): Promise<void> {
    try {
      await this.#regions.probe?.({});
    } catch {
      // The keyring notes each region's failure in its health, which is what is reported.
    } finally {
      this.#probedAt = performance.now();
      this.#probing = null;
    }
  }
}
