/**
 * Headers that were verified a moment ago, each with the key that verified it.
 */
import type { MessageHeader } from "../format/header.ts";
import type { CacheCounters, MaterialsCache, Wipeable } from "./materials-cache.ts";
import type { HeaderMemory, HeaderVerification } from "./materials-manager.ts";

/** One verified header and its key, which node clears when nobody refers to it any more. */
export class OpenedHeader implements Wipeable {
  readonly #verified: Buffer;
  #verification: HeaderVerification | undefined;

  constructor(verified: Buffer, verification: HeaderVerification) {
    this.#verified = verified;
    this.#verification = verification;
  }

  verificationOf(header: MessageHeader, authenticatedOnly: Uint8Array): HeaderVerification | undefined {
    const { bytes } = header;
    const matches =
      this.#verified.length === bytes.length + authenticatedOnly.length &&
      this.#verified.subarray(0, bytes.length).equals(bytes) &&
      this.#verified.subarray(bytes.length).equals(authenticatedOnly);
    return matches ? this.#verification : undefined;
  }

  wipe(): void {
    this.#verification = undefined;
  }
}

/**
 * Remembers, for messages read a moment ago, the key derived for each: the same message read again skips key derivation
 * and header verification. Recalled only for a header that is equal to the last byte, so nothing changed gets through.
 */
export class OpenedHeaders implements HeaderMemory {
  readonly #cache: MaterialsCache<OpenedHeader>;
  readonly #counters: CacheCounters;

  constructor(cache: MaterialsCache<OpenedHeader>, counters: CacheCounters) {
    this.#cache = cache;
    this.#counters = counters;
  }

  recall(header: MessageHeader, authenticatedOnly: Uint8Array): HeaderVerification | undefined {
    const known = this.#cache.get(header.messageId.toString("latin1"))?.verificationOf(header, authenticatedOnly);
    this.#counters.record({ kind: known === undefined ? "miss" : "hit", scope: "header" });
    return known;
  }

  /** @param since when its data key was asked for: it is as old */
  remember(
    header: MessageHeader,
    authenticatedOnly: Uint8Array,
    { since, ...verification }: HeaderVerification & { readonly since: number },
  ): void {
    const entry = new OpenedHeader(Buffer.concat([header.bytes, authenticatedOnly]), verification);
    this.#cache.set(header.messageId.toString("latin1"), entry, since);
  }
}
