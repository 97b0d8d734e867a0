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
import type { CacheCounts, Wipeable } from "../../materials/materials-cache.ts";
import { ReadThroughCache } from "../../materials/read-through-cache.ts";
import type { Time } from "../../resilience/time.ts";
import type { BranchKey, BranchKeyStore } from "./branch-key-store.ts";

export interface BranchKeyCacheOptions {
  readonly store: BranchKeyStore;
  readonly maxAgeMs: number;
  readonly capacity: number;
  readonly time: Time;
}

/** `version` null: the active one. */
export interface BranchKeyRequest {
  readonly branchKeyId: string;
  readonly version: string | null;
}

export class BranchKeyCache {
  readonly #store: BranchKeyStore;
  readonly #entries: MaterialsCache<Entry>;
  readonly #cache: ReadThroughCache<undefined, undefined, Entry>;
  /** Which entries belong to a branch key, so that all of them can go at once. */
  readonly #idsOf = new Map<string, Set<string>>();
  readonly #counters = new CacheCounters();

  constructor({ store, ...bounds }: BranchKeyCacheOptions) {
    this.#store = store;
    this.#entries = new MaterialsCache({
      ...bounds,
      onEviction: (reason) => {
        this.#counters.record({ kind: "eviction", reason });
      },
    });
    this.#cache = new ReadThroughCache({
      time: bounds.time,
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

  /** The branch key, with a handle of its own that the caller wipes; null when the store has none. */
  async get(request: BranchKeyRequest, signal: AbortSignal | undefined): Promise<BranchKey | null> {
    const id = entryId(request);
    const scope = request.version === null ? "encrypt" : "decrypt";
    const fromCache = (entry: Entry): BranchKey | null => entry.handle();
    return (
      this.#cache.hit(id, scope, fromCache) ??
      this.#cache.fetch({
        id,
        scope,
        party: undefined,
        signal,
        fromCache,
        call: () => this.#fetch(request),
        take: (entry) => entry.handle(),
      })
    );
  }

  /** Wipes every version of a branch key and lets none in that is on its way. */
  forget(branchKeyId: string): void {
    this.#cache.letNothingIn();
    for (const id of [...(this.#idsOf.get(branchKeyId) ?? [])]) this.#entries.delete(id, "cleared");
  }

  close(): void {
    this.#cache.close();
  }

  get size(): number {
    return this.#cache.size;
  }

  counts(): CacheCounts {
    return this.#counters.counts();
  }

  async #fetch(request: BranchKeyRequest): Promise<Entry> {
    const { branchKeyId, version } = request;
    const fetched = await (version === null
      ? this.#store.getActiveBranchKey(branchKeyId)
      : this.#store.getBranchKeyVersion(branchKeyId, version));
    if (fetched !== null) requireSound(fetched, version);
    return new Entry(request, fetched);
  }

  #keep(entry: Entry, since: number): void {
    const { request, branchKey } = entry;
    if (branchKey === null) return;
    // The active version is what the next read will ask for by name.
    if (request.version === null) {
      const named = { ...request, version: branchKey.version };
      this.#put(new Entry(named, { ...branchKey, key: branchKey.key.share() }), since);
    }
    this.#put(entry, since);
  }

  #put(entry: Entry, since: number): void {
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
class Entry implements Wipeable {
  readonly request: BranchKeyRequest;
  readonly branchKey: BranchKey | null;
  onWiped: () => void = () => undefined;

  constructor(request: BranchKeyRequest, branchKey: BranchKey | null) {
    this.request = request;
    this.branchKey = branchKey;
  }

  get wiped(): boolean {
    return this.branchKey?.key.wiped === true;
  }

  handle(): BranchKey | null {
    return this.branchKey === null ? null : { ...this.branchKey, key: this.branchKey.key.share() };
  }

  wipe(): void {
    this.branchKey?.key.wipe();
    this.onWiped();
  }
}

/** A version is of fixed length, so that no two requests have one id whatever the branch key's own id is. */
function entryId({ branchKeyId, version }: BranchKeyRequest): string {
  return `${version ?? "active"}/${branchKeyId}`;
}

/**
 * A store that answers something else than it was asked for is broken; using its key would make messages unreadable.
 */
function requireSound({ version, key }: BranchKey, asked: string | null): void {
  const problem = isBranchKeyVersion(version)
    ? asked !== null && version !== asked
      ? "the key store answered another version than it was asked for"
      : key.length !== BRANCH_KEY_LENGTH
        ? `a branch key must be ${BRANCH_KEY_LENGTH} bytes long`
        : null
    : "a branch key's version must be a version 4 UUID in lower case";
  if (problem === null) return;
  key.wipe();
  throw new EnvelopeError("branch-key-unavailable", `The branch key cannot be used: ${problem}`);
}
