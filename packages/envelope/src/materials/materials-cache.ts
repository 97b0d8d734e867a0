/**
 * A bounded store of things that hold keys (framework/local-cryptographic-materials-cache.md): least recently used out
 * first, nothing older than its age, and everything wiped that goes. With it, what a cache tells about itself.
 */
import { channel } from "node:diagnostics_channel";
import type { CancelTimer, Time } from "../resilience/time.ts";

export type EvictionReason = "age" | "capacity" | "exhausted" | "cleared";

export interface Wipeable {
  wipe(): void;
}

interface Slot<T> {
  readonly value: T;
  readonly expiresAt: number;
}

export interface MaterialsCacheOptions {
  readonly capacity: number;
  readonly maxAgeMs: number;
  readonly time: Time;
  readonly onEviction: (reason: EvictionReason) => void;
}

/** Milliseconds; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Expired entries go by a timer too: a key that nobody asks for again must not stay. */
export class MaterialsCache<T extends Wipeable> {
  readonly #options: MaterialsCacheOptions;
  /** In the order of use, least recent first: a Map keeps the order of insertion. */
  readonly #slots = new Map<string, Slot<T>>();
  /** The last of them, which needs no moving when it is used again. */
  #newest: string | null = null;
  #cancelSweep: CancelTimer | null = null;
  #sweepAt = Infinity;

  constructor(options: MaterialsCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(id: string): T | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined) return undefined;
    if (slot.expiresAt <= this.#options.time.now()) {
      this.delete(id, "age");
      return undefined;
    }
    if (id !== this.#newest) {
      this.#slots.delete(id);
      this.#slots.set(id, slot);
      this.#newest = id;
    }
    return slot.value;
  }

  /** What is there, whatever its age, without a use of it. */
  peek(id: string): T | undefined {
    return this.#slots.get(id)?.value;
  }

  /**
   * Takes over `value`: from now on the cache wipes it, at once if it is too old or older than what it would replace.
   *
   * @param since when its age began: before the call that brought it, not when the answer came
   */
  set(id: string, value: T, since: number): void {
    const { time, maxAgeMs, capacity } = this.#options;
    const expiresAt = since + maxAgeMs;
    if (expiresAt <= time.now() || expiresAt < (this.#slots.get(id)?.expiresAt ?? 0)) {
      value.wipe();
      return;
    }
    this.delete(id, "exhausted");
    this.#slots.set(id, { value, expiresAt });
    this.#newest = id;
    while (this.#slots.size > capacity) {
      const [oldest] = this.#slots.keys();
      if (oldest !== undefined) this.delete(oldest, "capacity");
    }
    this.#schedule(expiresAt);
  }

  delete(id: string, reason: EvictionReason): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    if (this.#slots.size === 0) this.#unschedule();
    slot.value.wipe();
    this.#options.onEviction(reason);
  }

  clear(): void {
    for (const id of [...this.#slots.keys()]) this.delete(id, "cleared");
  }

  /** One timer for all, due when the first of them expires. */
  #schedule(expiresAt: number): void {
    if (expiresAt >= this.#sweepAt) return;
    this.#unschedule();
    this.#sweepAt = expiresAt;
    const delay = Math.min(Math.max(expiresAt - this.#options.time.now(), 1), LONGEST_TIMER);
    this.#cancelSweep = this.#options.time.after(delay, () => {
      this.#unschedule();
      this.#sweep();
      let next = Infinity;
      for (const slot of this.#slots.values()) next = Math.min(next, slot.expiresAt);
      this.#schedule(next);
    });
  }

  #unschedule(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    this.#sweepAt = Infinity;
  }

  #sweep(): void {
    const now = this.#options.time.now();
    for (const [id, { expiresAt }] of [...this.#slots]) if (expiresAt <= now) this.delete(id, "age");
  }
}

/**
 * The diagnostics channel (node:diagnostics_channel) on which caches publish each {@link CacheEvent}. Neither an event
 * nor a count carries a key or a context.
 */
export const MATERIALS_CACHE_CHANNEL = "strongroom:materials-cache";

/** What was asked for: a data key to encrypt with, one that opens a message, or a header that was verified before. */
export type CacheScope = "encrypt" | "decrypt" | "header";

export type CacheEvent =
  /** `shared`: another caller's request for the same was under way. `bypass`: the request may not be cached. */
  | { readonly kind: "hit" | "miss" | "shared" | "bypass"; readonly scope: CacheScope }
  | { readonly kind: "eviction"; readonly reason: EvictionReason };

/** How often each kind of event has happened. */
export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
  readonly shared: number;
  readonly bypasses: number;
  readonly evictions: number;
}

const COUNTED = { hit: "hits", miss: "misses", shared: "shared", bypass: "bypasses", eviction: "evictions" } as const;
const published = channel(MATERIALS_CACHE_CHANNEL);

/** Counts what a cache does, and publishes it. */
export class CacheCounters {
  readonly #counts: Record<keyof CacheCounts, number> = { hits: 0, misses: 0, shared: 0, bypasses: 0, evictions: 0 };

  record(event: CacheEvent): void {
    this.#counts[COUNTED[event.kind]]++;
    if (published.hasSubscribers) published.publish(event);
  }

  counts(): CacheCounts {
    return { ...this.#counts };
  }
}
