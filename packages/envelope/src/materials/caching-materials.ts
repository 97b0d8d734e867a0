/**
 * The caching materials manager (framework/caching-cmm.md): data keys are used for several messages, within bounds of
 * age, messages and bytes. Every message still has a derived key of its own. What it trades: one stolen data key opens
 * as many messages as the bounds allow, and a revoked key still opens for as long as the age allows.
 */
import { randomPublicBytes } from "../crypto/secret.ts";
import { EnvelopeError } from "../errors.ts";
import type { CompleteDecryptionMaterials, CompleteEncryptionMaterials, KeyringCall } from "../keyrings/keyring.ts";
import { idleTime } from "../resilience/time.ts";
import type { Time } from "../resilience/time.ts";
import {
  CachedDecryptionMaterials,
  CachedEncryptionMaterials,
  decryptEntryId,
  encryptEntryId,
  OpenedHeaders,
} from "./cache-entries.ts";
import type { OpenedHeader, UsageLimits } from "./cache-entries.ts";
import { CacheCounters, MaterialsCache, SingleFlight } from "./materials-cache.ts";
import type { CacheCounts, EvictionReason } from "./materials-cache.ts";
import { materialsManager } from "./materials-manager.ts";
import type {
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
  HeaderMemory,
  KeySource,
  MaterialsManager,
} from "./materials-manager.ts";

export type CachingOptions = KeySource & {
  /** Milliseconds that a data key may be used. No default: it is how long a revoked key goes on working. */
  readonly maxAgeMs: number;
  /** Messages to encrypt under one data key. */
  readonly maxMessages?: number;
  /** Bytes of plaintext to encrypt under one data key. */
  readonly maxBytes?: number;
  /** Data keys held at once, for each direction. */
  readonly capacity?: number;
  /**
   * Messages whose derived key is kept after reading, so that reading one again skips most of the work. More key
   * material in memory; 0 keeps none.
   */
  readonly hotMessages?: number;
  /** Part of every entry's identifier; a random one unless given. */
  readonly partition?: string;
  /** The clock, for tests. */
  readonly time?: Time;
};

export const CACHING_DEFAULTS: {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly capacity: number;
  readonly hotMessages: number;
} = {
  maxMessages: 1_000,
  maxBytes: 2 ** 40,
  capacity: 1_000,
  hotMessages: 0,
};

/** framework/caching-cmm.md, "Limit Messages" */
const MOST_MESSAGES = 2 ** 32;

export interface CachingMaterials extends MaterialsManager, Disposable {
  /** How often it helped since it was made. */
  counts(): CacheCounts;
  /** Data keys held now. */
  readonly size: number;
  /** Wipes and forgets everything; the cache can be used further. */
  clear(): void;
  [Symbol.dispose](): void;
}

/**
 * Uses one data key for several messages, within bounds of age, messages and bytes.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { cachingMaterials, encrypt, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * using materials = cachingMaterials({ keyring, maxAgeMs: 5 * 60_000, maxMessages: 10 });
 *
 * for (let count = 0; count < 20; count++) {
 *   await encrypt(Buffer.from(`message ${count}`), { materials, encryptionContext: { tenant: "acme" } });
 * }
 * console.log(materials.counts().misses, materials.counts().hits); // prints: 2 18
 * ```
 */
export function cachingMaterials(options: CachingOptions): CachingMaterials {
  return new CachingManager(options);
}

class CachingManager implements CachingMaterials {
  /** Only with `hotMessages`. */
  readonly headers?: HeaderMemory;
  readonly #underlying: MaterialsManager;
  readonly #limits: UsageLimits;
  readonly #partition: string;
  readonly #counters = new CacheCounters();
  readonly #encryption: MaterialsCache<CachedEncryptionMaterials>;
  readonly #decryption: MaterialsCache<CachedDecryptionMaterials>;
  readonly #opened: MaterialsCache<OpenedHeader>;
  readonly #flights = new SingleFlight();

  constructor(options: CachingOptions) {
    const { maxAgeMs, maxMessages, maxBytes, capacity, hotMessages, time } = {
      ...CACHING_DEFAULTS,
      time: idleTime,
      ...options,
    };
    requireBounds({ maxAgeMs, maxMessages, maxBytes, capacity, hotMessages });
    this.#underlying = materialsManager(options);
    this.#limits = { maxMessages, maxBytes };
    this.#partition = options.partition ?? randomPublicBytes(16).toString("hex");
    const onEviction = (reason: EvictionReason): void => {
      this.#counters.record({ kind: "eviction", reason });
    };
    const bounds = { maxAgeMs, time, onEviction };
    this.#encryption = new MaterialsCache({ ...bounds, capacity });
    this.#decryption = new MaterialsCache({ ...bounds, capacity });
    this.#opened = new MaterialsCache({ ...bounds, capacity: hotMessages });
    if (hotMessages > 0) this.headers = new OpenedHeaders(this.#opened, this.#counters);
  }

  async getEncryptionMaterials(
    request: EncryptionMaterialsRequest,
    call: KeyringCall,
  ): Promise<CompleteEncryptionMaterials> {
    const { suite, plaintextLength } = request;
    // Identity KDF: the data key *is* the message's key, so it must not serve two messages ("Get Encryption
    // Materials").
    if (suite.kdf === null || plaintextLength === null || plaintextLength > this.#limits.maxBytes) {
      this.#counters.record({ kind: "bypass", scope: "encrypt" });
      return this.#underlying.getEncryptionMaterials(request, call);
    }
    const id = encryptEntryId(this.#partition, request);
    for (let first = true; ; first = false) {
      const cached = this.#takeForEncryption(id, plaintextLength);
      if (cached !== null) {
        if (first) this.#counters.record({ kind: "hit", scope: "encrypt" });
        return cached;
      }
      const own = await this.#flights.join(id, call.signal, async () => {
        this.#counters.record({ kind: "miss", scope: "encrypt" });
        const entry = new CachedEncryptionMaterials(
          await this.#underlying.getEncryptionMaterials(request, { signal: undefined }),
        );
        const materials = entry.take(plaintextLength, this.#limits);
        this.#encryption.set(id, entry);
        return materials;
      });
      if (own.leader && own.value !== null) return own.value;
      this.#counters.record({ kind: "shared", scope: "encrypt" });
    }
  }

  /** null when there is no entry, or none with enough left. */
  #takeForEncryption(id: string, bytes: number): CompleteEncryptionMaterials | null {
    const entry = this.#encryption.get(id);
    if (entry === undefined) return null;
    const materials = entry.take(bytes, this.#limits);
    if (materials === null || entry.isUsedUp(this.#limits)) this.#encryption.delete(id, "exhausted");
    return materials;
  }

  async decryptMaterials(request: DecryptionMaterialsRequest, call: KeyringCall): Promise<CompleteDecryptionMaterials> {
    if (request.suite.kdf === null) {
      this.#counters.record({ kind: "bypass", scope: "decrypt" });
      return this.#underlying.decryptMaterials(request, call);
    }
    const id = decryptEntryId(this.#partition, request);
    for (let first = true; ; first = false) {
      const cached = this.#decryption.get(id)?.take();
      if (cached !== undefined) {
        if (first) this.#counters.record({ kind: "hit", scope: "decrypt" });
        return { ...cached, accepts: request.accepts };
      }
      const own = await this.#flights.join(id, call.signal, async () => {
        this.#counters.record({ kind: "miss", scope: "decrypt" });
        const entry = new CachedDecryptionMaterials(
          await this.#underlying.decryptMaterials(request, { signal: undefined }),
        );
        const materials = entry.take();
        this.#decryption.set(id, entry);
        return materials;
      });
      if (own.leader) return own.value;
      this.#counters.record({ kind: "shared", scope: "decrypt" });
    }
  }

  counts(): CacheCounts {
    return this.#counters.counts();
  }

  get size(): number {
    return this.#encryption.size + this.#decryption.size;
  }

  clear(): void {
    this.#encryption.clear();
    this.#decryption.clear();
    this.#opened.clear();
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

interface Bounds extends UsageLimits {
  readonly maxAgeMs: number;
  readonly capacity: number;
  readonly hotMessages: number;
}

function requireBounds({ maxAgeMs, maxMessages, maxBytes, capacity, hotMessages }: Bounds): void {
  const problems: string[] = [];
  if (!(Number.isFinite(maxAgeMs) && maxAgeMs > 0)) problems.push("maxAgeMs must be a positive number of milliseconds");
  if (!isWhole(maxMessages, 1, MOST_MESSAGES))
    problems.push(`maxMessages must be a whole number from 1 to ${MOST_MESSAGES}`);
  if (!isWhole(maxBytes, 0, Number.MAX_SAFE_INTEGER)) problems.push("maxBytes must be a whole number of bytes");
  if (!isWhole(capacity, 1, Number.MAX_SAFE_INTEGER)) problems.push("capacity must be a whole number from 1");
  if (!isWhole(hotMessages, 0, Number.MAX_SAFE_INTEGER)) problems.push("hotMessages must be a whole number");
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
