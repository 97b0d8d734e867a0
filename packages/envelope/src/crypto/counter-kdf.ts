/**
 * The key derivation function in counter mode with HMAC as its pseudo-random function (NIST SP 800-108r1, section 4.1):
 * a 32-bit counter in front of the fixed input, as the hierarchical and the ECDH keyrings need it.
 */
import { EnvelopeError } from "../errors.ts";
import { hmac } from "./key-derivation.ts";
import type { HkdfHash } from "./key-derivation.ts";

const HASH_BYTES: Readonly<Record<HkdfHash, number>> = { sha256: 32, sha384: 48, sha512: 64 };
/** More than any keyring derives; keeps the counter far from its end. */
const MAX_BLOCKS = 255;

/** The fixed input as SP 800-108r1 recommends it: label, a zero byte, context, and the output's length in bits. */
export function counterKdfInput(label: Uint8Array, context: Uint8Array, length: number): Buffer {
  const input = Buffer.alloc(label.length + 1 + context.length + 4);
  input.set(label);
  input.set(context, label.length + 1);
  input.writeUInt32BE(length * 8, input.length - 4);
  return input;
}

/**
 * `length` bytes derived from `key`. The caller owns and wipes the result.
 *
 * @throws EnvelopeError `option-invalid` for a length that is no whole number of bytes or is too long.
 */
export function counterKdf(hash: HkdfHash, key: Uint8Array, fixedInput: Uint8Array, length: number): Buffer {
  const blockBytes = HASH_BYTES[hash];
  if (!Number.isInteger(length) || length < 1 || length > MAX_BLOCKS * blockBytes) {
    throw new EnvelopeError(
      "option-invalid",
      `The counter-mode KDF with ${hash} gives 1 to ${MAX_BLOCKS * blockBytes} bytes`,
    );
  }
  const derived = Buffer.allocUnsafeSlow(length);
  const counter = Buffer.alloc(4);
  for (let offset = 0, block = 1; offset < length; offset += blockBytes, block++) {
    counter.writeUInt32BE(block);
    const bytes = hmac(hash, key, counter, fixedInput);
    bytes.copy(derived, offset);
    bytes.fill(0);
  }
  return derived;
}
