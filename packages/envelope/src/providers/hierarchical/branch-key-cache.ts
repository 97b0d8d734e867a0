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
import { CacheCounters, MaterialsCache, SingleFlight } from "../../materials/materials-cache.ts";
import type { CacheCounts, Wipeable } from "../../materials/materials-cache.ts";
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
  /** Which entries belong to a branch key, so that all of them can go at once. */
  readonly #idsOf = new Map<string, Set<string>>();
  readonly #flights = new SingleFlight();
  readonly #counters = new CacheCounters();
  /** Raised by `forget`: what was fetched before must not come in after it. */
  #epoch = 0;
  #closed = false;

  constructor({ store, ...bounds }: BranchKeyCacheOptions) {
    this.#store = store;
    this.#entries = new MaterialsCache({
      ...bounds,
      onEviction: (reason) => {
        this.#counters.record({ kind: "eviction", reason });
      },
    });
  }

  /** The branch key, with a handle of its own that the caller wipes; null when the store has none. */
  async get(request: BranchKeyRequest, signal: AbortSignal | undefined): Promise<BranchKey | null> {
    const id = entryId(request);
    const scope = request.version === null ? "encrypt" : "decrypt";
    for (let kind: "hit" | "shared" = "hit"; ; kind = "shared") {
      if (this.#closed) throw new EnvelopeError("secret-wiped", "The hierarchical keyring was disposed of");
      const cached = this.#entries.get(id);
      if (cached !== undefined) {
        this.#counters.record({ kind, scope });
        return cached.handle();
      }
      const joined = await this.#flights.join(id, signal, () => this.#fetch(request));
      if (!joined.leader) continue;
      this.#counters.record({ kind: "miss", scope });
      if (joined.value === null) return null;
      if (!joined.value.wiped) return joined.value.handle();
    }
  }

  /** Wipes every version of a branch key and lets none in that is on its way. */
  forget(branchKeyId: string): void {
    this.#epoch++;
    for (const id of [...(this.#idsOf.get(branchKeyId) ?? [])]) this.#entries.delete(id, "cleared");
  }

  close(): void {
    this.#closed = true;
    this.#epoch++;
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  counts(): CacheCounts {
    return this.#counters.counts();
  }

  /**
   * Puts the key into the cache. The entry it returns may be wiped already, by `forget` or by others crowding it out.
   */
  async #fetch({ branchKeyId, version }: BranchKeyRequest): Promise<Entry | null> {
    const epoch = this.#epoch;
    const fetched = await (version === null
      ? this.#store.getActiveBranchKey(branchKeyId)
      : this.#store.getBranchKeyVersion(branchKeyId, version));
    if (fetched === null) return null;
    requireSound(fetched, version);
    if (epoch !== this.#epoch) {
      fetched.key.wipe();
      return new Entry(fetched, () => undefined);
    }
    // The active version is what the next read will ask for by name.
    if (version === null)
      this.#put({ branchKeyId, version: fetched.version }, { ...fetched, key: fetched.key.share() });
    return this.#put({ branchKeyId, version }, fetched);
  }

  #put(request: BranchKeyRequest, branchKey: BranchKey): Entry {
    const id = entryId(request);
    const entry = new Entry(branchKey, () => {
      const ids = this.#idsOf.get(request.branchKeyId);
      ids?.delete(id);
      if (ids?.size === 0) this.#idsOf.delete(request.branchKeyId);
    });
    // In this order: the entry that is replaced takes its id away with it.
    this.#entries.set(id, entry);
    if (!entry.wiped) this.#idsOf.set(request.branchKeyId, (this.#idsOf.get(request.branchKeyId) ?? new Set()).add(id));
    return entry;
  }
}

class Entry implements Wipeable {
  readonly #branchKey: BranchKey;
  readonly #onWiped: () => void;

  constructor(branchKey: BranchKey, onWiped: () => void) {
    this.#branchKey = branchKey;
    this.#onWiped = onWiped;
  }

  get wiped(): boolean {
    return this.#branchKey.key.wiped;
  }

  handle(): BranchKey {
    return { ...this.#branchKey, key: this.#branchKey.key.share() };
  }

  wipe(): void {
    this.#branchKey.key.wipe();
    this.#onWiped();
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
