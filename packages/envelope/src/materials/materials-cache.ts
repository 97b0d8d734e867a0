/**
 * A bounded store of things that hold keys (framework/local-cryptographic-materials-cache.md): least recently used out
 * first, nothing older than its age, and everything wiped that goes. Expired entries go by a timer too: a key that
 * nobody asks for again must not stay.
 */

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
