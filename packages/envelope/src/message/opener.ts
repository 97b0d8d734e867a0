/**
 * Opens one message piece by piece: verifies its header under a candidate data key, then decrypts block after block
 * (client-apis/decrypt.md, "Verify the header", "Decrypt the message body").
 */
import { gcmOpen } from "../crypto/gcm.ts";
import { deriveMessageKeys, equalInConstantTime } from "../crypto/message-keys.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { BodyAad } from "../format/body.ts";
import type { BodyBlock } from "../format/body.ts";
import type { MessageHeader } from "../format/header.ts";
import { IV_LENGTH } from "../format/suites.ts";

const NOTHING = Buffer.alloc(0);

export class MessageOpener {
  readonly #header: MessageHeader;
  readonly #cipherKey: Buffer;
  readonly #aad: BodyAad;

  private constructor(header: MessageHeader, cipherKey: Buffer) {
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
    cipherKey.fill(0);
    return null;
  }

  /**
   * Decrypts one block of `source` into `target` at `offset`. On a throw `target` may hold unauthenticated bytes there.
   *
   * @throws EnvelopeError `decryption-failed`
   */
  openBlock(source: Uint8Array, block: BodyBlock, target: Buffer, offset: number): void {
    const bytes = asBuffer(source);
    const iv = bytes.subarray(block.ivOffset, block.ivOffset + IV_LENGTH);
    const contentEnd = block.contentOffset + block.contentLength;
    const aad = this.#aad.of(block.kind, block.sequence, block.contentLength);
    const { cipher } = this.#header.suite;
    gcmOpen(cipher, this.#cipherKey, iv, aad, bytes.subarray(block.contentOffset, contentEnd), bytes.subarray(contentEnd, block.end), target, offset);
  }

  wipe(): void {
    this.#cipherKey.fill(0);
  }
}

function headerAuthenticates(header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: Buffer): boolean {
  const aad = authenticatedOnly.length === 0 ? header.body : Buffer.concat([header.body, authenticatedOnly]);
  try {
    gcmOpen(header.suite.cipher, cipherKey, header.iv, aad, NOTHING, header.tag);
    return true;
  } catch {
    return false;
  }
}
