/**
 * HKDF (RFC 5869) out of HMACs (RFC 2104) out of one-shot hashes. One extract can serve several expands, and one-shot
 * hashes cost a third of an Hmac object each; node's own hkdfSync can do neither. Scratch memory that held a key is
 * wiped before return.
 */
import { hash } from "node:crypto";
import { EnvelopeError } from "../errors/envelope-error.ts";

export type HkdfHash = "sha256" | "sha384" | "sha512";

const HASHES: Readonly<Record<HkdfHash, { readonly block: number; readonly output: number }>> = {
  sha256: { block: 64, output: 32 },
  sha384: { block: 128, output: 48 },
  sha512: { block: 128, output: 64 },
};
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
const MAX_SCRATCH = 1_024;
const scratch = Buffer.allocUnsafeSlow(MAX_SCRATCH);

/** HMAC of `data` (the parts joined). The caller owns and wipes the result. */
export function hmac(algorithm: HkdfHash, key: Uint8Array, ...data: readonly Uint8Array[]): Buffer {
  const { block, output } = HASHES[algorithm];
  const shortKey = key.length > block ? hash(algorithm, key, "buffer") : key;
  let length = block;
  for (const part of data) length += part.length;
  const inner = length <= MAX_SCRATCH ? scratch.subarray(0, length) : Buffer.allocUnsafeSlow(length);

  writePad(inner, shortKey, block, INNER_PAD);
  let offset = block;
  for (const part of data) {
    inner.set(part, offset);
    offset += part.length;
  }
  const digest = hash(algorithm, inner, "buffer");
  inner.fill(0);

  const outer = scratch.subarray(0, block + output);
  writePad(outer, shortKey, block, OUTER_PAD);
  outer.set(digest, block);
  const result = hash(algorithm, outer, "buffer");
  outer.fill(0);
  digest.fill(0);
  if (shortKey !== key) shortKey.fill(0);
  return result;
}

function writePad(target: Buffer, key: Uint8Array, block: number, pad: number): void {
  for (let index = 0; index < key.length; index++) target[index] = (key[index] ?? 0) ^ pad;
  target.fill(pad, key.length, block);
}

/** HKDF-Extract. An empty salt is a block of zeros, which HMAC's padding makes it. */
export function extract(algorithm: HkdfHash, salt: Uint8Array, inputKey: Uint8Array): Buffer {
  return hmac(algorithm, salt, inputKey);
}

/** HKDF-Expand to `length` bytes, at most 255 hash outputs. The caller owns and wipes the result. */
export function expand(algorithm: HkdfHash, pseudoRandomKey: Uint8Array, info: Uint8Array, length: number): Buffer {
  const { output } = HASHES[algorithm];
  if (!Number.isInteger(length) || length < 0 || length > 255 * output) {
    throw new EnvelopeError("option-invalid", `HKDF with ${algorithm} gives at most ${255 * output} bytes`);
  }
  const result = Buffer.allocUnsafeSlow(length);
  let previous: Buffer = Buffer.alloc(0);
  for (let counter = 1, offset = 0; offset < length; counter++, offset += output) {
    const next = hmac(algorithm, pseudoRandomKey, previous, info, Uint8Array.of(counter));
    previous.fill(0);
    next.copy(result, offset);
    previous = next;
  }
  previous.fill(0);
  return result;
}
