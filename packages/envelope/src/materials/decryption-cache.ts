/**
 * Data keys that open messages (framework/caching-cmm.md, "Decrypt Materials"), and the readers who wait for one.
 */
import { sharedBytes } from "../crypto/secret.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import type { CompleteDecryptionMaterials, DecryptionMaterials, KeyringCall, OpeningKey } from "../keyrings/keyring.ts";
import { decryptEntryId } from "./entry-ids.ts";
import { MaterialsCache } from "./materials-cache.ts";
import type { CacheCounters, MaterialsCacheOptions, Wipeable } from "./materials-cache.ts";
import type { DecryptionMaterialsRequest, MaterialsManager } from "./materials-manager.ts";
import type { OpenedHeaders } from "./opened-headers.ts";
import { ReadThroughCache } from "./read-through-cache.ts";

type Accepts = DecryptionMaterials["accepts"];

/**
 * Those who wait for one data key. A candidate is shown to all of them: a changed message fails by itself, and no
 * genuine one waits behind it.
 */
class Readers {
  readonly #all = new Set<Accepts>();
  /** Shown it even when it has given up: what it asked for may still serve the next. */
  #first: Accepts | null = null;
  #refused = false;
  accepted = false;

  /** Not one who missed a candidate that the others refused. */
  admit(accepts: Accepts): boolean {
    if (this.#refused && !this.accepted) return false;
    this.#first ??= accepts;
    this.#all.add(accepts);
    return true;
  }

  leave(accepts: Accepts): void {
    if (accepts !== this.#first) this.#all.delete(accepts);
  }

  /** Whether the candidate opens any of their messages. */
  readonly accept = (candidate: Uint8Array): boolean => {
    const opens = [...this.#all].some((accepts) => accepts(candidate));
    this.accepted ||= opens;
    this.#refused ||= !opens;
    return opens;
  };
}

interface CachedDataKeyParts {
  readonly dataKey: SecretBytes;
  /** Frozen: it is handed out with every message. */
  readonly openedBy: OpeningKey | undefined;
  /** Whether it has opened a message: a keyring of someone else's need not have asked. */
  readonly isVerified: boolean;
  /** When it was asked for: what is derived from it is as old. */
  readonly since: number;
}

class CachedDataKey implements Wipeable {
  readonly openedBy: OpeningKey | undefined;
  readonly isVerified: boolean;
  readonly since: number;
  readonly #dataKey: SecretBytes;

  constructor({ dataKey, openedBy, isVerified, since }: CachedDataKeyParts) {
    this.#dataKey = dataKey;
    this.openedBy = openedBy;
    this.isVerified = isVerified;
    this.since = since;
  }

  /** A handle that the caller wipes. */
  handle(): SecretBytes {
    return this.#dataKey.share();
  }

  wipe(): void {
    this.#dataKey.wipe();
  }
}

export interface DecryptionCacheOptions extends MaterialsCacheOptions {
  readonly underlying: MaterialsManager;
  readonly partition: string;
  readonly counters: CacheCounters;
  readonly closedMessage: string;
  /** null: headers are not remembered. */
  readonly headers: OpenedHeaders | null;
}

export class DecryptionCache {
  readonly #options: DecryptionCacheOptions;
  readonly #cache: ReadThroughCache<Readers, Accepts, CachedDataKey>;
  /** Raised by `clear`: a header that was being verified then must not be remembered after it. */
  #epoch = 0;

  constructor(options: DecryptionCacheOptions) {
    this.#options = options;
    const entries = new MaterialsCache<CachedDataKey>(options);
    this.#cache = new ReadThroughCache({
      ...options,
      entries,
      onClear: "is-served",
      begin: () => new Readers(),
      admit: (readers, accepts) => readers.admit(accepts),
      leave: (readers, accepts) => {
        readers.leave(accepts);
      },
      keep: ({ id, value, startedAt }) => {
        if (value.isVerified) entries.set(id, value, startedAt);
        else value.wipe();
      },
    });
  }

  /** What the cache has; null for what it has not, or does not keep. */
  atHand(request: DecryptionMaterialsRequest): CompleteDecryptionMaterials | null {
    if (request.suite.kdf === null) return null;
    const id = decryptEntryId(this.#options.partition, request);
    return this.#cache.hit(id, "decrypt", (entry) => this.#materials(request, entry, this.#epoch));
  }

  async get(
    request: DecryptionMaterialsRequest,
    { signal, onCall }: KeyringCall,
  ): Promise<CompleteDecryptionMaterials> {
    const { underlying, partition, counters, time } = this.#options;
    // Identity KDF: what is not cached for writing is not cached for reading either.
    if (request.suite.kdf === null) {
      this.#cache.requireOpen();
      counters.record({ kind: "bypass", scope: "decrypt" });
      return underlying.decryptMaterials(request, { signal, onCall });
    }
    const epoch = this.#epoch;
    const materials = (entry: CachedDataKey): CompleteDecryptionMaterials => this.#materials(request, entry, epoch);
    const id = decryptEntryId(partition, request);
    return (
      this.#cache.hit(id, "decrypt", materials) ??
      this.#cache.fetch({
        id,
        scope: "decrypt",
        party: request.accepts,
        signal,
        fromCache: materials,
        call: async (readers) => {
          const since = time.now();
          const shared = { ...request, accepts: readers.accept };
          const { dataKey, ...made } = await underlying.decryptMaterials(shared, { signal: undefined, onCall });
          const isVerified = readers.accepted || readers.accept(sharedBytes(dataKey));
          const openedBy = made.openedBy && Object.freeze({ ...made.openedBy });
          return new CachedDataKey({ dataKey, openedBy, isVerified, since });
        },
        take: materials,
      })
    );
  }

  /** All but the data key is the caller's own. */
  #materials(
    { suite, encryptionContext, requiredContextKeys, accepts }: DecryptionMaterialsRequest,
    entry: CachedDataKey,
    epoch: number,
  ): CompleteDecryptionMaterials {
    const { openedBy, since } = entry;
    const own = { suite, encryptionContext, requiredContextKeys, accepts, dataKey: entry.handle(), openedBy };
    const { headers } = this.#options;
    if (headers === null) return own;
    return {
      ...own,
      remember: (header, authenticatedOnly, cipherKey) => {
        if (epoch === this.#epoch) headers.remember(header, authenticatedOnly, { cipherKey, openedBy, since });
      },
    };
  }

  get size(): number {
    return this.#cache.size;
  }

  clear(): void {
    this.#epoch++;
    this.#cache.clear();
  }

  close(): void {
    this.#epoch++;
    this.#cache.close();
  }
}
