/**
 * What may remember that a header was verified, and the key that verified it.
 */
import type { CipherKey } from "../crypto/message-keys.ts";
import type { MessageHeader } from "../format/header.ts";

export interface HeaderMemory {
  /** The message's key, when this very header was verified before. */
  recall(header: MessageHeader, authenticatedOnly: Uint8Array): CipherKey | undefined;
  /** @param cipherKey the key under which the header was verified just now */
  remember(header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey): void;
}
