/**
 * What the materials cache keeps, and under which names: encryption materials with how much they were used, decryption
 * materials, and headers that were verified a moment ago.
 */
import { sha384 } from "../crypto/key-derivation.ts";
import type { CipherKey } from "../crypto/key-derivation.ts";
import { asBuffer } from "../format/byte-reader.ts";
import type { EncryptedDataKey, MessageHeader } from "../format/header.ts";
import type { CompleteDecryptionMaterials, CompleteEncryptionMaterials } from "../keyrings/keyring.ts";
import type { CacheCounters, MaterialsCache, Wipeable } from "./materials-cache.ts";
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest, HeaderMemory } from "./materials-manager.ts";

/** Longer ones are hashed: a message must not decide how much memory its entry takes. */
const LONGEST_PLAIN_ID = 4_096;

/*
 * Identifiers: the fields of framework/caching-cmm.md, "Appendix A: Cache Entry Identifier Formulas", with two more:
 * the commitment policy, so that a strict reader never gets what a lax one put in, and the required context keys, which
 * change what a message's header authenticates. The formulas hash the fields; here they stand as they are, since
 * nothing in them is secret and hashing would cost more than all the rest.
 */

type Scope = "encrypt" | "decrypt";

/** All that an identifier is made of. */
interface Fields extends Pick<
  EncryptionMaterialsRequest,
  "suite" | "commitmentPolicy" | "encryptionContext" | "requiredContextKeys"
> {
  readonly partition: string;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

const NO_KEYS: readonly EncryptedDataKey[] = [];

export function encryptEntryId(
  partition: string,
  { suite, commitmentPolicy, encryptionContext, requiredContextKeys }: EncryptionMaterialsRequest,
): string {
  return entryId("encrypt", {
    partition,
    suite,
    commitmentPolicy,
    encryptionContext,
    requiredContextKeys,
    encryptedDataKeys: NO_KEYS,
  });
}

export function decryptEntryId(
  partition: string,
  { suite, commitmentPolicy, encryptionContext, requiredContextKeys, encryptedDataKeys }: DecryptionMaterialsRequest,
): string {
  return entryId("decrypt", {
    partition,
    suite,
    commitmentPolicy,
    encryptionContext,
    requiredContextKeys,
    encryptedDataKeys,
  });
}

/** The last identifier made and the very objects it was made of: the same again costs a few comparisons. */
const last: Record<Scope, { readonly fields: Fields; readonly id: string } | null> = { encrypt: null, decrypt: null };

function entryId(scope: Scope, fields: Fields): string {
  const known = last[scope];
  if (known !== null && isSame(known.fields, fields)) return known.id;
  const id = makeId(scope, fields);
  if (id.length > LONGEST_PLAIN_ID) return sha384(Buffer.from(id, "utf8"));
  last[scope] = { fields, id };
  return id;
}

/**
 * Contexts and arrays of keys never change; the caller's array of required keys may, so only an empty one is taken for
 * the same.
 */
function isSame(known: Fields, fields: Fields): boolean {
  return (
    known.encryptionContext === fields.encryptionContext &&
    known.encryptedDataKeys === fields.encryptedDataKeys &&
    known.partition === fields.partition &&
    known.suite === fields.suite &&
    known.commitmentPolicy === fields.commitmentPolicy &&
    known.requiredContextKeys.length === 0 &&
    fields.requiredContextKeys.length === 0
  );
}

/**
 * Unambiguous: fields of free content come with their length, stand last, or are the same in all of a cache's entries.
 */
function makeId(
  scope: Scope,
  { partition, suite, commitmentPolicy, encryptionContext, requiredContextKeys, encryptedDataKeys }: Fields,
): string {
  const required = requiredContextKeys.length === 0 ? "" : JSON.stringify(requiredContextKeys);
  const keys = keysText(encryptedDataKeys);
  return `${scope}\0${partition}\0${commitmentPolicy}\0${required}\0${suite.id}\0${keys.length}\0${keys}${encryptionContext.bytes.toString("latin1")}`;
}

/** In the order of their texts: their order in the message does not matter. */
function keysText(keys: readonly EncryptedDataKey[]): string {
  const texts = keys.map(keyText);
  return texts.length === 1 ? (texts[0] ?? "") : texts.sort().join("");
}

function keyText({ providerId, providerInfo, ciphertext }: EncryptedDataKey): string {
  const lengths = `${providerId.length},${providerInfo.length},${ciphertext.length}`;
  return `${lengths}:${providerId}${asBuffer(providerInfo).toString("latin1")}${asBuffer(ciphertext).toString("latin1")}`;
}

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

  recall(header: MessageHeader, authenticatedOnly: Uint8Array): CipherKey | undefined {
    const key = this.#cache.get(header.messageId.toString("latin1"))?.keyFor(header, authenticatedOnly);
    this.#counters.record({ kind: key === undefined ? "miss" : "hit", scope: "header" });
    return key;
  }

  remember(header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey): void {
    this.#cache.set(
      header.messageId.toString("latin1"),
      new OpenedHeader(Buffer.concat([header.bytes, authenticatedOnly]), cipherKey),
    );
  }
}
