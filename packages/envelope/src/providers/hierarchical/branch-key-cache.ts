/**
 * Branch keys at hand, bounded in number and age (framework/aws-kms/aws-kms-hierarchical-keyring.md, "Cache Limit TTL",
 * "Cache Type"). Who asks for a key that is being fetched waits for that same fetch. What leaves the cache is wiped as
 * soon as nobody wraps with it any more.
 *
 * The cache belongs to one keyring, so entries are named by branch key and version alone: the specification's hashed
 * identifiers (its appendix A) keep several keyrings apart in one shared cache.
 */
import { EnvelopeError } from "../../errors.ts";
import { BRANCH_KEY_LENGTH, isBranchKeyVersion } from "../../keyrings/branch-key-wrapping.ts";
import { CacheCounters, MaterialsCache } from "../../materials/materials-cache.ts";
import type { CacheCounts, CacheScope, Wipeable } from "../../materials/materials-cache.ts";
import { ReadThroughCache } from "../../materials/read-through-cache.ts";
import { idleTime } from "../../resilience/time.ts";
import type { Time } from "../../resilience/time.ts";
import type { BranchKey, BranchKeyStore } from "./branch-key-store.ts";

/** Bounds of a cache of branch keys. */
export interface BranchKeyCacheOptions<Key extends BranchKey = BranchKey> {
  /** Where a key is fetched that is not at hand. What it gives beside version and key is kept with them. */
  readonly store: BranchKeyStore<Key>;
  /** Milliseconds that a key is given out before it is fetched again. */
  readonly maxAgeMs: number;
  /** How often a key is given out before it is fetched again; as often as it is asked for when left out. */
  readonly maxUses?: number | undefined;
  /** Branch keys held at once; the active version of each counts once more. */
  readonly capacity: number;
  /** The clock, for tests. */
  readonly time?: Time;
}

/** Which key is asked for. */
export interface BranchKeyRequest {
  readonly branchKeyId: string;
  /** Null: the active one. */
  readonly version: string | null;
  /** For something else than a message: not one of its uses. */
  readonly uncounted?: true;
}

/** Fetches one key; null: there is none. */
export type FetchBranchKey<Key extends BranchKey> = () => Promise<Key | null>;

/**
 * Branch keys that were opened, for a keyring and for whoever opens and makes them.
 *
 * @example
 * ```ts
 * import { randomBytes, randomUUID } from "node:crypto";
 * import { BranchKeyCache } from "@strongroom/envelope/hierarchical";
 * import { SecretBytes } from "@strongroom/envelope/keyrings";
 *
 * const version = randomUUID();
 * let fetched = 0;
 * const fetch = async () => ({ version, key: new SecretBytes(randomBytes(32)), fetched: ++fetched });
 * const store = { getActiveBranchKey: fetch, getBranchKeyVersion: fetch };
 * const cache = new BranchKeyCache({ store, maxAgeMs: 300_000, maxUses: 10, capacity: 1_000 });
 * for (let use = 1; use <= 20; use++) {
 *   const found = await cache.get({ branchKeyId: "customer-42", version: null }, undefined);
 *   found?.key.wipe();
 * }
 * console.log(fetched); // prints: 2
 * cache.close();
 * ```
 */
export class BranchKeyCache<Key extends BranchKey = BranchKey> {
  readonly #store: BranchKeyStore<Key>;
  readonly #maxUses: number;
  readonly #time: Time;
  readonly #entries: MaterialsCache<Entry<Key>>;
  readonly #cache: ReadThroughCache<undefined, undefined, Entry<Key>>;
  /** Which entries belong to a branch key, so that all of them can go at once. */
  readonly #idsOf = new Map<string, Set<string>>();
  readonly #counters = new CacheCounters();
  /** What was made before has perhaps been forgotten with the others. */
  #forgottenAt = -Infinity;

  constructor({ store, maxUses = Infinity, time = idleTime, ...bounds }: BranchKeyCacheOptions<Key>) {
    this.#store = store;
    this.#maxUses = maxUses;
    this.#time = time;
    this.#entries = new MaterialsCache({
      ...bounds,
      time,
      onEviction: (reason) => {
        this.#counters.record({ kind: "eviction", reason });
      },
    });
    this.#cache = new ReadThroughCache({
      time,
      entries: this.#entries,
      counters: this.#counters,
      // What was forgotten may have been erased: not even who waits may use it.
      onClear: "asks-again",
      closedMessage: "The hierarchical keyring was disposed of",
      begin: () => undefined,
      admit: () => true,
      leave: () => undefined,
      keep: ({ value, startedAt }) => {
        this.#keep(value, startedAt);
      },
    });
  }

  /**
   * The branch key, with a handle of its own that the caller wipes; null when there is none. Each is one use.
   *
   * @param fetch how this one is fetched when it is not at hand; from the store when left out
   */
  async get(
    request: BranchKeyRequest,
    signal: AbortSignal | undefined,
    fetch: FetchBranchKey<Key> = () => this.#fromStore(request),
  ): Promise<Key | null> {
    const id = entryId(request);
    return (
      this.atHand(request) ??
      this.#cache.fetch({
        id,
        scope: scopeOf(request),
        party: undefined,
        signal,
        fromCache: (entry) => this.#use(entry, request),
        call: () => this.#fetch(request, fetch),
        take: (entry) => entry.handle(request),
      })
    );
  }

  /** The branch key if it is held, as `get` gives it; null: it has to be fetched. */
  atHand(request: BranchKeyRequest): Key | null {
    return this.#cache.hit(entryId(request), scopeOf(request), (entry) => this.#use(entry, request));
  }

  /**
   * Holds a key that was just made, and is used once by who made it; not if something was forgotten since then. It
   * stays the caller's, who wipes it.
   *
   * @param since when it was made, by the cache's clock: {@link BranchKeyCache.now}
   */
  put(request: BranchKeyRequest, made: Key, since: number): void {
    this.#cache.requireOpen();
    requireSound(made, request.version);
    if (since < this.#forgottenAt) return;
    this.#keep(new Entry(request, { ...made, key: made.key.share() }, { left: this.#maxUses - 1 }), since);
  }

  /** Milliseconds of the clock by which keys age. */
  now(): number {
    return this.#time.now();
  }

  /** Wipes every version of a branch key and lets none in that is on its way. */
  forget(branchKeyId: string): void {
    this.#cache.letNothingIn();
    this.#forgottenAt = this.#time.now();
    for (const id of [...(this.#idsOf.get(branchKeyId) ?? [])]) this.#entries.delete(id, "cleared");
  }

  /** Wipes everything; nothing is given out any more. */
  close(): void {
    this.#cache.close();
  }

  /** Branch keys held now. */
  get size(): number {
    return this.#cache.size;
  }

  counts(): CacheCounts {
    return this.#counters.counts();
  }

  #fromStore({ branchKeyId, version }: BranchKeyRequest): Promise<Key | null> {
    return version === null
      ? this.#store.getActiveBranchKey(branchKeyId)
      : this.#store.getBranchKeyVersion(branchKeyId, version);
  }

  async #fetch(request: BranchKeyRequest, fetch: FetchBranchKey<Key>): Promise<Entry<Key>> {
    const fetched = await fetch();
    try {
      if (fetched !== null) requireSound(fetched, request.version);
    } catch (error) {
      fetched?.key.wipe();
      throw error;
    }
    return new Entry(request, fetched, { left: this.#maxUses });
  }

  /** A handle on what is held. The last use takes it out of the cache; who has a handle goes on with it. */
  #use(entry: Entry<Key>, request: BranchKeyRequest): Key | null {
    const handle = entry.handle(request);
    if (entry.uses.left <= 0) this.#exhausted(entry);
    return handle;
  }

  /** The active version and the same one by name are one key, and its uses are counted together. */
  #exhausted({ request: { branchKeyId }, uses }: Entry<Key>): void {
    for (const id of [...(this.#idsOf.get(branchKeyId) ?? [])])
      if (this.#entries.peek(id)?.uses === uses) this.#entries.delete(id, "exhausted");
  }

  #keep(entry: Entry<Key>, since: number): void {
    const { request, branchKey, uses } = entry;
    if (branchKey === null) return;
    if (uses.left <= 0) {
      entry.wipe();
      return;
    }
    // The active version is what the next read will ask for by name.
    if (request.version === null) {
      const named = { branchKeyId: request.branchKeyId, version: branchKey.version };
      this.#put(new Entry(named, { ...branchKey, key: branchKey.key.share() }, uses), since);
    }
    this.#put(entry, since);
  }

  #put(entry: Entry<Key>, since: number): void {
    const { branchKeyId } = entry.request;
    const id = entryId(entry.request);
    // In this order: the entry that is replaced takes its id away with it.
    this.#entries.set(id, entry, since);
    if (entry.wiped) return;
    this.#idsOf.set(branchKeyId, (this.#idsOf.get(branchKeyId) ?? new Set()).add(id));
    entry.onWiped = () => {
      const ids = this.#idsOf.get(branchKeyId);
      ids?.delete(id);
      if (ids?.size === 0) this.#idsOf.delete(branchKeyId);
    };
  }
}

/** What the store answered; no branch key is an answer too, but never kept. */
class Entry<Key extends BranchKey> implements Wipeable {
  readonly request: BranchKeyRequest;
  readonly branchKey: Key | null;
  /** Shared by the entries of one key. */
  readonly uses: { left: number };
  onWiped: () => void = () => undefined;

  constructor(request: BranchKeyRequest, branchKey: Key | null, uses: { left: number }) {
    this.request = request;
    this.branchKey = branchKey;
    this.uses = uses;
  }

  get wiped(): boolean {
    return this.branchKey?.key.wiped === true;
  }

  handle({ uncounted }: BranchKeyRequest): Key | null {
    if (this.branchKey === null) return null;
    if (uncounted !== true) this.uses.left -= 1;
    return { ...this.branchKey, key: this.branchKey.key.share() };
  }

  wipe(): void {
    this.branchKey?.key.wipe();
    this.onWiped();
  }
}

function scopeOf({ version }: BranchKeyRequest): CacheScope {
  return version === null ? "encrypt" : "decrypt";
}

/** A version is of fixed length, so that no two requests have one id whatever the branch key's own id is. */
function entryId({ branchKeyId, version }: BranchKeyRequest): string {
  return `${version ?? "active"}/${branchKeyId}`;
}

/**
 * A store that answers something else than it was asked for is broken; using its key would make messages unreadable.
 */
export function requireSound({ version, key }: BranchKey, asked: string | null): void {
  const problem = isBranchKeyVersion(version)
    ? asked !== null && version !== asked
      ? "the key store answered another version than it was asked for"
      : key.length !== BRANCH_KEY_LENGTH
        ? `a branch key must be ${BRANCH_KEY_LENGTH} bytes long`
        : null
    : "a branch key's version must be a version 4 UUID in lower case";
  if (problem === null) return;
  throw new EnvelopeError("branch-key-unavailable", `The branch key cannot be used: ${problem}`);
}
