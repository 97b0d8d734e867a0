/**
 * AES-GCM with 12-byte IVs and 16-byte tags (NIST SP 800-38D). `authTagLength` is always set: without it node accepts
 * tags cut down to 4 bytes.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { EnvelopeError } from "../errors/envelope-error.ts";

export type GcmCipher = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";

export const GCM_TAG_LENGTH = 16;
const OPTIONS = { authTagLength: GCM_TAG_LENGTH } as const;
const EMPTY = Buffer.alloc(0);

/** Encrypts `plaintext` into `target` at `offset`, tag behind it; returns the offset after the tag. */
export function gcmSeal(
  cipher: GcmCipher,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  target: Buffer,
  offset: number,
): number {
  const sealing = createCipheriv(cipher, key, iv, OPTIONS);
  sealing.setAAD(aad);
  let end = offset;
  if (plaintext.length > 0) {
    target.set(sealing.update(plaintext), end);
    end += plaintext.length;
  }
  sealing.final();
  target.set(sealing.getAuthTag(), end);
  return end + GCM_TAG_LENGTH;
}

/**
 * Decrypts into `target` at `offset`. Bytes are in `target` before the tag is checked: on a throw the caller wipes
 * `target` and releases nothing.
 *
 * @throws EnvelopeError `decryption-failed`
 */
export function gcmOpen(
  cipher: GcmCipher,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  target: Buffer = EMPTY,
  offset = 0,
): void {
  const opening = createDecipheriv(cipher, key, iv, OPTIONS);
  opening.setAAD(aad);
  opening.setAuthTag(tag);
  if (ciphertext.length > 0) {
    const plaintext = opening.update(ciphertext);
    target.set(plaintext, offset);
    plaintext.fill(0);
  }
  try {
    opening.final();
  } catch {
    throw new EnvelopeError("decryption-failed", "The message does not authenticate");
  }
}
