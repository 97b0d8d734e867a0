/**
 * What a materials cache keeps: materials together with what they were used for.
 */
import type { CompleteDecryptionMaterials, CompleteEncryptionMaterials } from "../keyrings/materials.ts";
import type { Wipeable } from "./materials-cache.ts";

export interface UsageLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** Encryption materials and how much was encrypted with them (framework/caching-cmm.md, "Usage Stats"). */
export class CachedEncryptionMaterials implements Wipeable {
  readonly #materials: CompleteEncryptionMaterials;
  #messages = 0;
  #bytes = 0;

  constructor(materials: CompleteEncryptionMaterials) {
    this.#materials = materials;
  }

  /**
   * Materials for one more message, with a handle on the data key that the caller wipes; null when not enough is left.
   */
  take(bytes: number, { maxMessages, maxBytes }: UsageLimits): CompleteEncryptionMaterials | null {
    if (this.#messages + 1 > maxMessages || this.#bytes + bytes > maxBytes) return null;
    this.#messages++;
    this.#bytes += bytes;
    return { ...this.#materials, dataKey: this.#materials.dataKey.share() };
  }

  isUsedUp({ maxMessages, maxBytes }: UsageLimits): boolean {
    return this.#messages >= maxMessages || this.#bytes >= maxBytes;
  }

  wipe(): void {
    this.#materials.dataKey.wipe();
  }
}

export class CachedDecryptionMaterials implements Wipeable {
  readonly #materials: CompleteDecryptionMaterials;

  constructor(materials: CompleteDecryptionMaterials) {
    this.#materials = materials;
  }

  take(): CompleteDecryptionMaterials {
    return { ...this.#materials, dataKey: this.#materials.dataKey.share() };
  }

  wipe(): void {
    this.#materials.dataKey.wipe();
  }
}
