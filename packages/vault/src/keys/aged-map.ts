/**
 * What is remembered for a while: bounded in number, least recently used out first, and in age. For what is no secret
 * key; keys are in caches that wipe.
 */
export interface AgedMapOptions {
  readonly capacity: number;
  readonly maxAgeMs: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class AgedMap<Value> {
  readonly #options: AgedMapOptions;
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly #slots = new Map<string, { readonly value: Value; readonly expiresAt: number }>();

  constructor(options: AgedMapOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(id: string): Value | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined) return undefined;
    this.#slots.delete(id);
    if (slot.expiresAt <= this.#options.now()) return undefined;
    this.#slots.set(id, slot);
    return slot.value;
  }

  /** @param since when its age began: before the question that it answers */
  set(id: string, value: Value, since: number = this.#options.now()): void {
    const { capacity, maxAgeMs } = this.#options;
    this.#slots.delete(id);
    this.#slots.set(id, { value, expiresAt: since + maxAgeMs });
    for (const oldest of this.#slots.keys()) {
      if (this.#slots.size <= capacity) break;
      this.#slots.delete(oldest);
    }
  }

  delete(id: string): void {
    this.#slots.delete(id);
  }

  clear(): void {
    this.#slots.clear();
  }
}
