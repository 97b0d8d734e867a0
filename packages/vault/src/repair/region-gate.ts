/**
 * In which regions repairs may go on: a state machine without a clock of its own. A region that is up is open. One that
 * is not known to be up, or that failed the last repair, is tried with one version in an interval, and opened by its
 * success.
 */

/** What a keyring's health says of a region; `@strongroom/envelope/aws-kms` has more. */
export interface RegionSight {
  readonly region: string;
  readonly state: "up" | "down" | "unknown";
}

/** `open`: repair as much as there is. `trial`: one version, to find out. `closed`: wait. */
export type Lane = "open" | "trial" | "closed";

interface Seen {
  state: RegionSight["state"];
  /** What the last repair that needed it showed. */
  proof: "gained" | "missed" | "none";
  triedAt: number;
}

export class RegionGate {
  readonly #intervalMs: number;
  readonly #seen = new Map<string, Seen>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Takes in the regions' health. True when a region has come up: what failed before may work now, also in other
   * regions.
   */
  look(health: readonly RegionSight[]): boolean {
    let cameUp = false;
    for (const { region, state } of health) {
      const seen = this.#of(region);
      if (state === "up" && seen.state === "down") cameUp = true;
      seen.state = state;
    }
    if (cameUp) for (const seen of this.#seen.values()) if (seen.proof === "missed") seen.proof = "none";
    return cameUp;
  }

  lane(region: string, now: number): Lane {
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
    const seen = this.#of(region);
    seen.proof = "missed";
    seen.triedAt = now;
  }

  #of(region: string): Seen {
    const known = this.#seen.get(region);
    if (known !== undefined) return known;
    const seen: Seen = { state: "unknown", proof: "none", triedAt: Number.NEGATIVE_INFINITY };
    this.#seen.set(region, seen);
    return seen;
  }
}
