/**
 * The keys of one message at work, one way and the other: its header, made or verified (client-apis/encrypt.md,
 * "Construct the header"; client-apis/decrypt.md, "Verify the header"), and the blocks of its body ("Construct a
 * frame", "Decrypt the message body"). Synchronous and with no policy of its own; the buffer and the streaming API
 * drive it.
 */
import { gcmOpen, gcmSeal } from "../crypto/gcm.ts";
import type { GcmCipher, Sealed } from "../crypto/gcm.ts";
import { deriveMessageKeys } from "../crypto/key-derivation.ts";
import type { CipherKey, MessageKeys } from "../crypto/key-derivation.ts";
import { equalInConstantTime, fillPublicRandom, release, sharedBytes, wipeAndRelease } from "../crypto/secret.ts";
import { BodyAad, frameStartLength, writeFrameStart } from "../format/body.ts";
import type { BodyBlock, FrameKind } from "../format/body.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { canonicalPairs } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import { headerTemplate, messageIdOffset } from "../format/header.ts";
import type { EncryptedDataKey, HeaderTemplate, MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS, IV_LENGTH, MESSAGE_ID_LENGTH } from "../format/suites.ts";
import type { AlgorithmSuite, MessageLimits } from "../format/suites.ts";
import type { CompleteEncryptionMaterials } from "../keyrings/keyring.ts";

const ZERO_IV = Buffer.alloc(IV_LENGTH);
const NOTHING = Buffer.alloc(0);

/** What it takes to work on a message's blocks; can be posted to a worker thread. */
export interface FrameCipherKey {
  readonly cipher: GcmCipher;
  readonly key: CipherKey;
  readonly messageId: Uint8Array;
}

/** Seals and opens the blocks of a body. Knows nothing of headers, so worker threads can have one too. */
export class FrameCipher {
  readonly #cipher: GcmCipher;
  readonly #key: CipherKey;
  readonly #aad: BodyAad;

  constructor({ cipher, key, messageId }: FrameCipherKey) {
    this.#cipher = cipher;
    this.#key = key;
    this.#aad = new BodyAad(asBuffer(messageId));
  }

  /** Writes one frame at `offset`; returns the offset after it. */
  sealFrame(target: Buffer, offset: number, kind: FrameKind, sequence: number, content: Uint8Array): number {
    const contentOffset = writeFrameStart(target, offset, kind, sequence, content.length);
    const { ciphertext, tag } = this.#seal(kind, sequence, content, frameIv(target, contentOffset, kind));
    const tagOffset = contentOffset + ciphertext.copy(target, contentOffset);
    release(ciphertext);
    return tagOffset + tag.copy(target, tagOffset);
  }

  /** One frame as start, content and tag: for large frames, whose content is then never copied. */
  framePieces(kind: FrameKind, sequence: number, content: Uint8Array): readonly Buffer[] {
    const start = Buffer.allocUnsafe(frameStartLength(kind));
    const contentOffset = writeFrameStart(start, 0, kind, sequence, content.length);
    const { ciphertext, tag } = this.#seal(kind, sequence, content, frameIv(start, contentOffset, kind));
    return [start, ciphertext, tag];
  }

  #seal(kind: FrameKind, sequence: number, content: Uint8Array, iv: Buffer): Sealed {
    return gcmSeal(this.#cipher, this.#key, iv, this.#aad.of(kind, sequence, content.length), content);
  }

  /**
   * Decrypts one block of `source`.
   *
   * @throws EnvelopeError `decryption-failed`
   */
  openBlock(source: Uint8Array, block: BodyBlock): Buffer {
    const bytes = asBuffer(source);
    const iv = bytes.subarray(block.ivOffset, block.ivOffset + IV_LENGTH);
    const contentEnd = block.contentOffset + block.contentLength;
    return gcmOpen(
      this.#cipher,
      this.#key,
      iv,
      this.#blockAad(block),
      bytes.subarray(block.contentOffset, contentEnd),
      bytes.subarray(contentEnd, block.end),
    );
  }

  /** Decrypts one block of `source` to `offset` in `target`. @throws EnvelopeError `decryption-failed` */
  openBlockInto(target: Buffer, offset: number, source: Uint8Array, block: BodyBlock): void {
    const plaintext = this.openBlock(source, block);
    plaintext.copy(target, offset);
    wipeAndRelease(plaintext);
  }

  #blockAad({ kind, sequence, contentLength }: BodyBlock): Buffer {
    return this.#aad.of(kind, sequence, contentLength);
  }
}

/** The IV field of a frame whose content begins at `contentOffset`; in a final frame a length stands between them. */
function frameIv(frame: Buffer, contentOffset: number, kind: FrameKind): Buffer {
  const end = kind === "final" ? contentOffset - 4 : contentOffset;
  return frame.subarray(end - IV_LENGTH, end);
}

/** Begins one message: draws its id, derives its keys, writes its header. */
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
    this.#keys = deriveMessageKeys(suite, this.#messageId, sharedBytes(materials.dataKey));
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
 * Cached materials keep their encrypted data keys and their context as the very same objects from message to message,
 * frozen. What its owner may still change is not remembered.
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
  if (Object.isFrozen(materials.encryptedDataKeys)) prepared.set(materials.encryptedDataKeys, made);
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

/**
 * Opens one message: verifies its header under a candidate data key. Only what opened so can decrypt the message's
 * blocks.
 */
export class MessageOpener {
  /** Opens the message's blocks. */
  readonly blocks: FrameCipher;
  /** The same for other threads. */
  readonly frameKey: FrameCipherKey;

  private constructor({ suite, messageId }: MessageHeader, cipherKey: CipherKey) {
    this.frameKey = { cipher: suite.cipher, key: cipherKey, messageId };
    this.blocks = new FrameCipher(this.frameKey);
  }

  /**
   * Derives the message's keys from `dataKey` and verifies commitment, then header. null when either fails: the data
   * key is not this message's, or the header was changed.
   *
   * @param authenticatedOnly serialized context entries that are not in the header; empty for none.
   */
  static open(header: MessageHeader, authenticatedOnly: Uint8Array, dataKey: Uint8Array): MessageOpener | null {
    const { suite } = header;
    if (dataKey.length !== suite.keyLength) return null;
    const { cipherKey, commitKey } = deriveMessageKeys(suite, header.messageId, dataKey);
    const committed =
      header.commitKey === null || (commitKey !== null && equalInConstantTime(header.commitKey, commitKey));
    if (committed && headerAuthenticates(header, authenticatedOnly, cipherKey))
      return new MessageOpener(header, cipherKey);
    return null;
  }

  /** For a header that was verified under this key before. */
  static resume(header: MessageHeader, cipherKey: CipherKey): MessageOpener {
    return new MessageOpener(header, cipherKey);
  }
}

function headerAuthenticates(header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey): boolean {
  const aad = authenticatedOnly.length === 0 ? header.body : Buffer.concat([header.body, authenticatedOnly]);
  try {
    gcmOpen(header.suite.cipher, cipherKey, header.iv, aad, NOTHING, header.tag);
    return true;
  } catch {
    return false;
  }
}
