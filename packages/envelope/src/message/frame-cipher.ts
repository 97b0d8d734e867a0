/**
 * Seals and opens the blocks of one message's body under its derived key (client-apis/encrypt.md, "Construct a frame";
 * client-apis/decrypt.md, "Decrypt the message body"). Knows nothing of headers, so worker threads can have one too.
 */
import { gcmOpen, gcmOpening, gcmSeal } from "../crypto/gcm.ts";
import type { GcmCipher, GcmOpening, Sealed } from "../crypto/gcm.ts";
import type { CipherKey } from "../crypto/message-keys.ts";
import { release, wipeAndRelease } from "../crypto/release.ts";
import { BodyAad, frameStartLength, writeFrameStart } from "../format/body.ts";
import type { BodyBlock, FrameKind } from "../format/body.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { IV_LENGTH } from "../format/suites.ts";

/** What it takes to work on a message's blocks; can be posted to a worker thread. */
export interface FrameCipherKey {
  readonly cipher: GcmCipher;
  readonly key: CipherKey;
  readonly messageId: Uint8Array;
}

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

  /** Begins to decrypt one block whose content comes in pieces. */
  beginBlock(block: BodyBlock, iv: Uint8Array): GcmOpening {
    return gcmOpening(this.#cipher, this.#key, iv, this.#blockAad(block));
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
