/**
 * Begins one message: draws its id, derives its keys, writes its header (client-apis/encrypt.md, "Construct the
 * header"). Synchronous and with no policy of its own; the buffer and the streaming API both drive it.
 */
import { gcmSeal } from "../crypto/gcm.ts";
import { deriveMessageKeys } from "../crypto/message-keys.ts";
import type { MessageKeys } from "../crypto/message-keys.ts";
import { fillPublicRandom } from "../crypto/random.ts";
import { canonicalPairs } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import { headerTemplate, messageIdOffset } from "../format/header.ts";
import type { HeaderTemplate } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";
import type { MessageLimits } from "../format/limits.ts";
import { IV_LENGTH, MESSAGE_ID_LENGTH } from "../format/suites.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { CompleteEncryptionMaterials } from "../keyrings/materials.ts";
import { FrameCipher } from "./frame-cipher.ts";
import type { FrameCipherKey } from "./frame-cipher.ts";

const ZERO_IV = Buffer.alloc(IV_LENGTH);
const NOTHING = Buffer.alloc(0);

export class MessageSealer {
  readonly headerLength: number;
  /** Seals the message's frames. */
  readonly frames: FrameCipher;
  /** The same for other threads. */
  readonly frameKey: FrameCipherKey;
  readonly #suite: AlgorithmSuite;
  readonly #template: HeaderTemplate;
  readonly #authenticatedOnly: Buffer;
  readonly #messageId: Buffer;
  readonly #keys: MessageKeys;

  /** Draws a fresh message id: two sealers never share a derived key, even under one data key. */
  constructor(materials: CompleteEncryptionMaterials, frameLength: number, limits: MessageLimits) {
    const { suite } = materials;
    const { template, authenticatedOnly } = templateFor(materials, frameLength, limits);
    this.#suite = suite;
    this.#template = template;
    this.#authenticatedOnly = authenticatedOnly;
    this.headerLength = template.headerLength;
    this.#messageId = Buffer.allocUnsafe(MESSAGE_ID_LENGTH[suite.messageVersion]);
    fillPublicRandom(this.#messageId);
    this.#keys = deriveMessageKeys(suite, this.#messageId, materials.dataKey.bytes);
    this.frameKey = { cipher: suite.cipher, key: this.#keys.cipherKey, messageId: this.#messageId };
    this.frames = new FrameCipher(this.frameKey);
  }

  /** Writes the header at the start of `target`. */
  writeHeader(target: Buffer): void {
    const { bytes } = this.#template;
    bytes.copy(target, 0);
    this.#messageId.copy(target, messageIdOffset(this.#suite));
    const { commitKey } = this.#keys;
    if (commitKey !== null) commitKey.copy(target, bytes.length - commitKey.length);
    let offset = bytes.length;
    if (this.#suite.messageVersion === 1) offset += ZERO_IV.copy(target, offset);
    const body = target.subarray(0, bytes.length);
    const aad = this.#authenticatedOnly.length === 0 ? body : Buffer.concat([body, this.#authenticatedOnly]);
    gcmSeal(this.#suite.cipher, this.#keys.cipherKey, ZERO_IV, aad, NOTHING).tag.copy(target, offset);
  }
}

interface Prepared {
  readonly context: CanonicalContext;
  readonly template: HeaderTemplate;
  readonly authenticatedOnly: Buffer;
}

/**
 * Cached materials keep their encrypted data keys and their context as the very same objects from message to message.
 */
const prepared = new WeakMap<readonly EncryptedDataKey[], Prepared>();

function templateFor(materials: CompleteEncryptionMaterials, frameLength: number, limits: MessageLimits): Prepared {
  const known = prepared.get(materials.encryptedDataKeys);
  const { suite, encryptionContext } = materials;
  if (
    known?.template.frameLength === frameLength &&
    known.context === encryptionContext &&
    known.template.suite === suite
  )
    return known;
  const { stored, required } = splitContext(encryptionContext, materials.requiredContextKeys);
  const made = {
    context: encryptionContext,
    template: headerTemplate(suite, stored, materials.encryptedDataKeys, frameLength, limits),
    authenticatedOnly: required.bytes,
  };
  prepared.set(materials.encryptedDataKeys, made);
  return made;
}

/** Entries that the header stores, and entries that it only authenticates. */
export function splitContext(
  context: CanonicalContext,
  requiredKeys: readonly string[],
): { readonly stored: CanonicalContext; readonly required: CanonicalContext } {
  const isRequired = new Set(requiredKeys);
  return {
    stored:
      isRequired.size === 0
        ? context
        : canonicalPairs(
            context.pairs.filter(([key]) => !isRequired.has(key)),
            FORMAT_LIMITS,
          ),
    required: canonicalPairs(
      context.pairs.filter(([key]) => isRequired.has(key)),
      FORMAT_LIMITS,
    ),
  };
}
