/**
 * A cache that fetches what it does not have, once for all who ask at the same moment. What was fetched before the
 * cache was cleared serves those who waited for it, and nobody else.
 */
import { EnvelopeError } from "../errors.ts";
import type { CacheCounters, CacheScope, MaterialsCache, Wipeable } from "./materials-cache.ts";
import { ASK_AGAIN, SingleFlight } from "./single-flight.ts";
import type { FlightRequest, FlightRules, Landing, WhoWaits } from "./single-flight.ts";

export interface ReadThroughOptions<State, Party, Value extends Wipeable> extends Omit<
  FlightRules<State, Party, Value>,
  "land"
> {
  readonly entries: MaterialsCache<Value>;
  readonly counters: CacheCounters;
  /** Puts into the cache what was fetched, or wipes it. */
  keep(answer: Landing<State, Value>): void;
  /** What becomes of those who wait when the cache is cleared. */
  readonly onClear: WhoWaits;
  /** What the error says that is thrown once the cache is closed. */
  readonly closedMessage: string;
}

/** `call` fetches what is not there. */
export interface ReadThroughRequest<State, Party, Value, Part> extends FlightRequest<State, Party, Value, Part> {
  readonly id: string;
  readonly scope: CacheScope;
  /** This caller's part of an entry; null when the entry has none left. */
  fromCache(entry: Value): Part | null;
}

export class ReadThroughCache<State, Party, Value extends Wipeable> {
  readonly #options: ReadThroughOptions<State, Party, Value>;
  readonly #flights: SingleFlight<State, Party, Value>;
  #closed = false;

  constructor(options: ReadThroughOptions<State, Party, Value>) {
    this.#options = options;
    this.#flights = new SingleFlight({
      ...options,
      land: (answer) => {
        if (answer.keep) options.keep(answer);
        else answer.value.wipe();
      },
    });
  }

  get size(): number {
    return this.#options.entries.size;
  }

  /**
   * A part of the entry that is there, at once; null when there is none or it has none left.
   *
   * @throws EnvelopeError `secret-wiped` once the cache is closed
   */
  hit<Part>(id: string, scope: CacheScope, fromCache: (entry: Value) => Part | null): Part | null {
    const part = this.#partOf(id, fromCache);
    if (part !== null) this.#options.counters.record({ kind: "hit", scope });
    return part;
  }

  /**
   * Fetches what is not there, or waits for who does.
   *
   * @throws what `call` throws; EnvelopeError `aborted`, or `secret-wiped` once the cache is closed
   */
  async fetch<Part>(request: ReadThroughRequest<State, Party, Value, Part>): Promise<Part> {
    const { id, scope } = request;
    for (let isFirst = true; ; isFirst = false) {
      const joined = this.#flights.join(id, request);
      if (!joined.isShared || isFirst)
        this.#options.counters.record({ kind: joined.isShared ? "shared" : "miss", scope });
      const part = await joined.part;
      if (part !== ASK_AGAIN) return part;
      const cached = this.#partOf(id, (entry) => request.fromCache(entry));
      if (cached !== null) return cached;
    }
  }

  #partOf<Part>(id: string, fromCache: (entry: Value) => Part | null): Part | null {
    this.requireOpen();
    const entry = this.#options.entries.get(id);
    return entry === undefined ? null : fromCache(entry);
  }

  /** @throws EnvelopeError `secret-wiped` once the cache is closed */
  requireOpen(): void {
    if (this.#closed) throw new EnvelopeError("secret-wiped", this.#options.closedMessage);
  }

  /** Lets nothing in that is being fetched now. Entries are the caller's to delete. */
  letNothingIn(): void {
    this.#flights.clear(this.#options.onClear);
  }

  clear(): void {
    this.letNothingIn();
    this.#options.entries.clear();
  }

  /** Clears it for good. */
  close(): void {
    this.#closed = true;
    this.clear();
  }
}
