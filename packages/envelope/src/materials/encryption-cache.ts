/**
 * Data keys that several messages are encrypted under (framework/caching-cmm.md, "Get Encryption Materials"), each
 * within its bounds of messages and bytes.
 */
import type { CompleteEncryptionMaterials, KeyringCall } from "../keyrings/keyring.ts";
import { encryptEntryId } from "./entry-ids.ts";
import { keptMaterials } from "./kept-materials.ts";
import { MaterialsCache } from "./materials-cache.ts";
import type { CacheCounters, MaterialsCacheOptions, Wipeable } from "./materials-cache.ts";
import type { EncryptionMaterialsRequest, MaterialsManager } from "./materials-manager.ts";
import { ReadThroughCache } from "./read-through-cache.ts";

export interface UsageLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/**
 * How much is encrypted under one data key (framework/caching-cmm.md, "Usage Stats"). Counted before the data key is
 * there: callers who wait for one are given a part of it in advance, and only as many as it will do for.
 */
export class Usage {
  readonly #limits: UsageLimits;
  #messages = 0;
  #bytes = 0;

  constructor(limits: UsageLimits) {
    this.#limits = limits;
  }

  /** Counts one more message, unless not enough is left. */
  reserve(bytes: number): boolean {
    const { maxMessages, maxBytes } = this.#limits;
    if (this.#messages + 1 > maxMessages || this.#bytes + bytes > maxBytes) return false;
    this.#messages++;
    this.#bytes += bytes;
    return true;
  }

  get isUsedUp(): boolean {
    return this.#messages >= this.#limits.maxMessages || this.#bytes >= this.#limits.maxBytes;
  }
}

class CachedEncryptionMaterials implements Wipeable {
  readonly usage: Usage;
  readonly #materials: CompleteEncryptionMaterials;

  constructor(materials: CompleteEncryptionMaterials, usage: Usage) {
    this.usage = usage;
    this.#materials = keptMaterials(materials);
  }

  /** For one message for which `usage` has room, with a handle on the data key that the caller wipes. */
  take(): CompleteEncryptionMaterials {
    return { ...this.#materials, dataKey: this.#materials.dataKey.share() };
  }

  wipe(): void {
    this.#materials.dataKey.wipe();
  }
}

export interface EncryptionCacheOptions extends MaterialsCacheOptions {
  readonly underlying: MaterialsManager;
  readonly partition: string;
  readonly limits: UsageLimits;
  readonly counters: CacheCounters;
  readonly closedMessage: string;
}

interface PartOfEntry {
  readonly id: string;
  /** Bytes of the message. */
  readonly party: number;
  readonly fromCache: (entry: CachedEncryptionMaterials) => CompleteEncryptionMaterials | null;
}

export class EncryptionCache {
  readonly #options: EncryptionCacheOptions;
  readonly #entries: MaterialsCache<CachedEncryptionMaterials>;
  readonly #cache: ReadThroughCache<Usage, number, CachedEncryptionMaterials>;

  constructor(options: EncryptionCacheOptions) {
    this.#options = options;
    this.#entries = new MaterialsCache(options);
    this.#cache = new ReadThroughCache({
      ...options,
      entries: this.#entries,
      onClear: "is-served",
      begin: () => new Usage(options.limits),
      admit: (usage, bytes) => usage.reserve(bytes),
      // What was reserved is not given back: the bounds are upper ones.
      leave: () => undefined,
      keep: ({ id, value, startedAt }) => {
        if (value.usage.isUsedUp) value.wipe();
        else this.#entries.set(id, value, startedAt);
      },
    });
  }

  /** What the cache has; null for what it has not, or does not keep. */
  atHand(request: EncryptionMaterialsRequest): CompleteEncryptionMaterials | null {
    const part = this.#partOf(request);
    return part === null ? null : this.#cache.hit(part.id, "encrypt", part.fromCache);
  }

  async get(
    request: EncryptionMaterialsRequest,
    { signal, onCall }: KeyringCall,
  ): Promise<CompleteEncryptionMaterials> {
    const { underlying, counters } = this.#options;
    const part = this.#partOf(request);
    if (part === null) {
      this.#cache.requireOpen();
      counters.record({ kind: "bypass", scope: "encrypt" });
      return underlying.getEncryptionMaterials(request, { signal, onCall });
    }
    return (
      this.#cache.hit(part.id, "encrypt", part.fromCache) ??
      this.#cache.fetch({
        ...part,
        scope: "encrypt",
        signal,
        call: async (usage) =>
          new CachedEncryptionMaterials(
            await underlying.getEncryptionMaterials(request, { signal: undefined, onCall }),
            usage,
          ),
        take: (entry) => entry.take(),
      })
    );
  }

  /** The part of an entry that a message needs; null for a message that none may serve. */
  #partOf(request: EncryptionMaterialsRequest): PartOfEntry | null {
    const { partition, limits } = this.#options;
    const { suite, plaintextLength } = request;
    // Identity KDF: the data key *is* the message's key, so it must not serve two messages.
    if (suite.kdf === null || plaintextLength === null || plaintextLength > limits.maxBytes) return null;
    const id = encryptEntryId(partition, request);
    return {
      id,
      party: plaintextLength,
      fromCache: (entry) => {
        const materials = entry.usage.reserve(plaintextLength) ? entry.take() : null;
        if (materials === null || entry.usage.isUsedUp) this.#entries.delete(id, "exhausted");
        return materials;
      },
    };
  }

  get size(): number {
    return this.#cache.size;
  }

  clear(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#cache.close();
  }
}
