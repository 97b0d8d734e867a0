/**
 * Opens one message piece by piece: verifies its header under a candidate data key, then decrypts block after block
 * (client-apis/decrypt.md, "Verify the header", "Decrypt the message body").
 */
import { gcmOpen, gcmOpening } from "../crypto/gcm.ts";
import type { GcmCipher, GcmOpening } from "../crypto/gcm.ts";
import { deriveMessageKeys, equalInConstantTime } from "../crypto/message-keys.ts";
import type { CipherKey } from "../crypto/message-keys.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { BodyAad } from "../format/body.ts";
import type { BodyBlock } from "../format/body.ts";
import type { MessageHeader } from "../format/header.ts";
import { IV_LENGTH } from "../format/suites.ts";

const NOTHING = Buffer.alloc(0);

export class MessageOpener {
  readonly #header: MessageHeader;
  readonly #cipherKey: CipherKey;
  readonly #aad: BodyAad;

  private constructor(header: MessageHeader, cipherKey: CipherKey) {
    this.#header = header;
    this.#cipherKey = cipherKey;
    this.#aad = new BodyAad(header.messageId);
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
    const committed = header.commitKey === null || (commitKey !== null && equalInConstantTime(header.commitKey, commitKey));
    if (committed && headerAuthenticates(header, authenticatedOnly, cipherKey)) return new MessageOpener(header, cipherKey);
    return null;
  }

  /** For a header that was verified under this key before. */
  static resume(header: MessageHeader, cipherKey: CipherKey): MessageOpener {
    return new MessageOpener(header, cipherKey);
  }

  get cipherKey(): CipherKey {
    return this.#cipherKey;
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
    return gcmOpen(this.#cipher, this.#cipherKey, iv, this.#blockAad(block), bytes.subarray(block.contentOffset, contentEnd), bytes.subarray(contentEnd, block.end));
  }

  /** Begins to decrypt one block whose content comes in pieces. */
  beginBlock(block: BodyBlock, iv: Uint8Array): GcmOpening {
    return gcmOpening(this.#cipher, this.#cipherKey, iv, this.#blockAad(block));
  }

  get #cipher(): GcmCipher {
    return this.#header.suite.cipher;
  }

  #blockAad({ kind, sequence, contentLength }: BodyBlock): Buffer {
    return this.#aad.of(kind, sequence, contentLength);
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
