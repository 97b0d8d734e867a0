/**
 * What a materials cache tells about itself: counts, and events on the diagnostics channel
 * `strongroom:materials-cache` (node:diagnostics_channel). Neither carries a key or a context.
 */
import { channel } from "node:diagnostics_channel";
import type { EvictionReason } from "./materials-cache.ts";

export const MATERIALS_CACHE_CHANNEL = "strongroom:materials-cache";

export type CacheEvent =
  /** `shared`: another caller's request for the same was under way. `bypass`: the request may not be cached. */
  | { readonly kind: "hit" | "miss" | "shared" | "bypass"; readonly scope: "encrypt" | "decrypt" | "header" }
  | { readonly kind: "eviction"; readonly reason: EvictionReason };

export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
  readonly shared: number;
  readonly bypasses: number;
  readonly evictions: number;
}

const COUNTED = { hit: "hits", miss: "misses", shared: "shared", bypass: "bypasses", eviction: "evictions" } as const;
const published = channel(MATERIALS_CACHE_CHANNEL);

export class CacheWatch {
  readonly #counts: Record<keyof CacheCounts, number> = { hits: 0, misses: 0, shared: 0, bypasses: 0, evictions: 0 };

  record(event: CacheEvent): void {
    this.#counts[COUNTED[event.kind]]++;
    if (published.hasSubscribers) published.publish(event);
  }

  counts(): CacheCounts {
    return { ...this.#counts };
  }
}
