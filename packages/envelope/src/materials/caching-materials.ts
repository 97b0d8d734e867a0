/**
 * The caching materials manager (framework/caching-cmm.md): data keys are used for several messages, within bounds of
 * age, messages and bytes. Every message still has a derived key of its own. What it trades: one stolen data key opens
 * as many messages as the bounds allow, and a revoked key still opens for as long as the age allows.
 */
import { randomPublicBytes } from "../crypto/secret.ts";
import type { CompleteDecryptionMaterials, CompleteEncryptionMaterials, KeyringCall } from "../keyrings/keyring.ts";
import { anyText, FOR_EVER, milliseconds, needed, objectOf, option, readOptions, wholeNumber } from "../options.ts";
import type { RowsFor } from "../options.ts";
import { idleTime, timeOption } from "../resilience/time.ts";
import type { Time } from "../resilience/time.ts";
import { DecryptionCache } from "./decryption-cache.ts";
import { EncryptionCache } from "./encryption-cache.ts";
import { CacheCounters, MaterialsCache } from "./materials-cache.ts";
import type { CacheCounts, EvictionReason } from "./materials-cache.ts";
import { materialsManager, SOURCE_ROWS } from "./materials-manager.ts";
import type {
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
  HeaderMemory,
  KeySource,
  MaterialsManager,
} from "./materials-manager.ts";
import { OpenedHeaders } from "./opened-headers.ts";
import type { OpenedHeader } from "./opened-headers.ts";

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

const readCaching = objectOf({
  ...SOURCE_ROWS,
  maxAgeMs: needed(milliseconds(FOR_EVER)),
  maxMessages: option(wholeNumber(1, MOST_MESSAGES), CACHING_DEFAULTS.maxMessages),
  maxBytes: option(wholeNumber(0, Number.MAX_SAFE_INTEGER, " bytes"), CACHING_DEFAULTS.maxBytes),
  capacity: option(wholeNumber(1, Number.MAX_SAFE_INTEGER), CACHING_DEFAULTS.capacity),
  hotMessages: option(wholeNumber(0, Number.MAX_SAFE_INTEGER), CACHING_DEFAULTS.hotMessages),
  partition: option(anyText),
  time: option(timeOption, idleTime),
} satisfies RowsFor<CachingOptions>);

export interface CachingMaterials extends MaterialsManager, Disposable {
  /** How often it helped since it was made. */
  counts(): CacheCounts;
  /** Data keys held now. */
  readonly size: number;
  /**
   * Wipes and forgets everything; the cache can be used further. What is under way then serves those who wait for it,
   * once, and is not kept; who comes later asks anew.
   */
  clear(): void;
  /**
   * The same for good: who asks afterwards gets EnvelopeError `secret-wiped`. A stream that has begun goes on; one that
   * has not had its first byte has not.
   */
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
  readonly #counters = new CacheCounters();
  readonly #encryption: EncryptionCache;
  readonly #decryption: DecryptionCache;
  readonly #opened: MaterialsCache<OpenedHeader>;

  constructor(options: CachingOptions) {
    const values = readOptions(readCaching, options);
    const { maxAgeMs, maxMessages, maxBytes, capacity, hotMessages, partition, time } = values;
    const common = {
      underlying: materialsManager(values),
      partition: partition ?? randomPublicBytes(16).toString("hex"),
      maxAgeMs,
      capacity,
      time,
      counters: this.#counters,
      closedMessage: "The materials cache was disposed of",
      onEviction: (reason: EvictionReason) => {
        this.#counters.record({ kind: "eviction", reason });
      },
    };
    this.#opened = new MaterialsCache({ ...common, capacity: hotMessages });
    const headers = hotMessages > 0 ? new OpenedHeaders(this.#opened, this.#counters) : null;
    if (headers !== null) this.headers = headers;
    this.#encryption = new EncryptionCache({ ...common, limits: { maxMessages, maxBytes } });
    this.#decryption = new DecryptionCache({ ...common, headers });
  }

  encryptionAtHand(request: EncryptionMaterialsRequest): CompleteEncryptionMaterials | null {
    return this.#encryption.atHand(request);
  }

  decryptionAtHand(request: DecryptionMaterialsRequest): CompleteDecryptionMaterials | null {
    return this.#decryption.atHand(request);
  }

  getEncryptionMaterials(request: EncryptionMaterialsRequest, call: KeyringCall): Promise<CompleteEncryptionMaterials> {
    return this.#encryption.get(request, call);
  }

  decryptMaterials(request: DecryptionMaterialsRequest, call: KeyringCall): Promise<CompleteDecryptionMaterials> {
    return this.#decryption.get(request, call);
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
    this.#encryption.close();
    this.#decryption.close();
    this.#opened.clear();
  }
}
