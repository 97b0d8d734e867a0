/**
 * A bounded store of things that hold keys (framework/local-cryptographic-materials-cache.md): least recently used out
 * first, nothing older than its age, and everything wiped that goes. With it, the fetching of what is absent, once for
 * all who ask at the same moment, and what a cache tells about itself.
 */
import { channel } from "node:diagnostics_channel";
import { EnvelopeError } from "../errors.ts";
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

  /** Takes over `value`: from now on the cache wipes it. */
  set(id: string, value: T): void {
    this.delete(id, "exhausted");
    this.#slots.set(id, { value, expiresAt: this.#options.time.now() + this.#options.maxAgeMs });
    this.#newest = id;
    while (this.#slots.size > this.#options.capacity) {
      const [oldest] = this.#slots.keys();
      if (oldest !== undefined) this.delete(oldest, "capacity");
    }
    this.#schedule();
  }

  delete(id: string, reason: EvictionReason): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    slot.value.wipe();
    this.#options.onEviction(reason);
  }

  clear(): void {
    for (const id of [...this.#slots.keys()]) this.delete(id, "cleared");
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  /** One timer for all, due when the first of them expires. */
  #schedule(): void {
    if (this.#cancelSweep !== null || this.#slots.size === 0) return;
    let next = Infinity;
    for (const { expiresAt } of this.#slots.values()) next = Math.min(next, expiresAt);
    const delay = Math.min(Math.max(next - this.#options.time.now(), 1), LONGEST_TIMER);
    this.#cancelSweep = this.#options.time.after(delay, () => {
      this.#cancelSweep = null;
      this.#sweep();
      this.#schedule();
    });
  }

  #sweep(): void {
    const now = this.#options.time.now();
    for (const [id, { expiresAt }] of [...this.#slots]) if (expiresAt <= now) this.delete(id, "age");
  }
}

/** `leader`: the call was made for this caller, and only this caller gets its value. */
export type Joined<T> = { readonly leader: true; readonly value: T } | { readonly leader: false };

/**
 * One call for many who want the same thing at the same moment. The call belongs to no single caller: one who gives up
 * leaves, and the others still get the answer.
 */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<unknown>>();

  /**
   * Makes the call for `id`, or waits for the one that is under way.
   *
   * @throws what the call throws, or EnvelopeError `aborted`. Who waited is not told of `decryption-failed`: it may be
   *   the fault of the leader's message alone, and must not fail the others'.
   */
  async join<T>(id: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<Joined<T>> {
    const flight = this.#flights.get(id);
    if (flight !== undefined) {
      await unlessAborted(flight, signal).catch(rethrowUnlessOfOneMessage);
      return { leader: false };
    }
    const own = call().finally(() => this.#flights.delete(id));
    this.#flights.set(id, own);
    return { leader: true, value: await unlessAborted(own, signal) };
  }
}

function rethrowUnlessOfOneMessage(error: unknown): void {
  if (!(error instanceof EnvelopeError) || error.code !== "decryption-failed") throw error;
}

async function unlessAborted<T>(flight: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return flight;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason }));
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([flight, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Nobody may be left to hear it fail.
    flight.catch(() => undefined);
  }
}

/**
 * The diagnostics channel (node:diagnostics_channel) on which caches publish each {@link CacheEvent}. Neither an event
 * nor a count carries a key or a context.
 */
export const MATERIALS_CACHE_CHANNEL = "strongroom:materials-cache";

export type CacheEvent =
  /** `shared`: another caller's request for the same was under way. `bypass`: the request may not be cached. */
  | { readonly kind: "hit" | "miss" | "shared" | "bypass"; readonly scope: "encrypt" | "decrypt" | "header" }
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
