/**
 * What the server knows of the regions: asked of whoever has the keyring, which is not the server's to import.
 */

/** Health of one region and key, as the envelope's multi-region keyring reports it. */
export interface RegionStatus {
  readonly region: string;
  readonly state: "up" | "down" | "unknown";
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
  readonly calls: number;
  readonly failures: number;
  readonly lastFailure: { readonly kind: string; readonly at: string } | null;
  readonly lastSuccessAt: string | null;
}

export interface Regions {
  /** Wraps that a write needs: so many regions must not be down. */
  readonly minimum: number;
  /** From the calls made so far; makes none. */
  health(): readonly RegionStatus[];
  /** Asks each region now. Left out: only real calls tell. */
  probe?(options: { readonly signal?: AbortSignal }): Promise<readonly RegionStatus[]>;
}

/** At most one probe in this many milliseconds, however often anyone asks. */
const PROBE_INTERVAL_MS = 1000;

/**
 * Regions as seen now. While a region is not known to be up it is probed: otherwise a service that lost its regions, and
 * is therefore sent no requests, would never learn that they are back.
 */
export class RegionWatch {
  readonly minimum: number;
  readonly #regions: Regions;
  #probing: Promise<void> | null = null;
  #probedAt = -Infinity;

  constructor(regions: Regions) {
    this.#regions = regions;
    this.minimum = regions.minimum;
  }

  async current(): Promise<readonly RegionStatus[]> {
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
