/**
 * Opens one message: verifies its header under a candidate data key (client-apis/decrypt.md, "Get the decryption
 * materials", "Verify the header"). Only what opened so can decrypt the message's blocks.
 */
import { gcmOpen } from "../crypto/gcm.ts";
import { deriveMessageKeys, equalInConstantTime } from "../crypto/message-keys.ts";
import type { CipherKey } from "../crypto/message-keys.ts";
import type { MessageHeader } from "../format/header.ts";
import { FrameCipher } from "./frame-cipher.ts";
import type { FrameCipherKey } from "./frame-cipher.ts";

const NOTHING = Buffer.alloc(0);

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
