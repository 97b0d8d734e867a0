/**
 * Remembers, for messages read a moment ago, the key derived for each: the same message read again skips key derivation
 * and header verification. Recalled only for a header that is equal to the last byte, so nothing changed gets through.
 */
import type { CipherKey } from "../crypto/message-keys.ts";
import type { MessageHeader } from "../format/header.ts";
import type { CacheWatch } from "./cache-events.ts";
import type { HeaderMemory } from "./header-memory.ts";
import type { MaterialsCache, Wipeable } from "./materials-cache.ts";

/** One verified header and its key, which node clears when nobody refers to it any more. */
export class OpenedHeader implements Wipeable {
  readonly #verified: Buffer;
  #cipherKey: CipherKey | undefined;

  constructor(verified: Buffer, cipherKey: CipherKey) {
    this.#verified = verified;
    this.#cipherKey = cipherKey;
  }

  keyFor(header: MessageHeader, authenticatedOnly: Uint8Array): CipherKey | undefined {
    const { bytes } = header;
    const matches =
      this.#verified.length === bytes.length + authenticatedOnly.length &&
      this.#verified.subarray(0, bytes.length).equals(bytes) &&
      this.#verified.subarray(bytes.length).equals(authenticatedOnly);
    return matches ? this.#cipherKey : undefined;
  }

  wipe(): void {
    this.#cipherKey = undefined;
  }
}

export class OpenedHeaders implements HeaderMemory {
  readonly #cache: MaterialsCache<OpenedHeader>;
  readonly #watch: CacheWatch;

  constructor(cache: MaterialsCache<OpenedHeader>, watch: CacheWatch) {
    this.#cache = cache;
    this.#watch = watch;
  }

  recall(header: MessageHeader, authenticatedOnly: Uint8Array): CipherKey | undefined {
    const key = this.#cache.get(header.messageId.toString("latin1"))?.keyFor(header, authenticatedOnly);
    this.#watch.record({ kind: key === undefined ? "miss" : "hit", scope: "header" });
    return key;
  }

  remember(header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey): void {
    this.#cache.set(
      header.messageId.toString("latin1"),
      new OpenedHeader(Buffer.concat([header.bytes, authenticatedOnly]), cipherKey),
    );
  }
}
