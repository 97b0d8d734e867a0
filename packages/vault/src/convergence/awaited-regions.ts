/**
 * Regions that the items of a run wait for, by what the latest tries were told of them.
 */
import type { RegionReason } from "../errors.ts";

/** Beyond the longest time between two tries of an item that waits for a region. */
const BELIEVED_MS = 30_000;

/** The others are told as a number: what is waited for has its place in a note. */
const MOST_NAMED = 3;
const LONGEST_NAME = 32;

export class AwaitedRegions {
  readonly #now: () => number;
  readonly #missed = new Map<string, { readonly reason: string; readonly at: number }>();

  /** @param now milliseconds of a clock that nobody sets */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A try got nothing from these. */
  missed(regions: readonly RegionReason[]): void {
    for (const { region, reason } of regions) this.#missed.set(region, { reason, at: this.#now() });
  }

  /** Each of these gave a wrap. */
  gained(regions: readonly string[]): void {
    for (const region of regions) this.#missed.delete(region);
  }

  /** `eu-west-1: key-unusable, eu-west-2: unreachable`; null: none is waited for. */
  get said(): string | null {
    const since = this.#now() - BELIEVED_MS;
    const missed = [...this.#missed].filter(([, { at }]) => at >= since).sort(([a], [b]) => (a < b ? -1 : 1));
    if (missed.length === 0) return null;
    const named = missed
      .slice(0, MOST_NAMED)
      .map(([region, { reason }]) => `${region.slice(0, LONGEST_NAME)}: ${reason}`);
    const more = missed.length - named.length;
    return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}
