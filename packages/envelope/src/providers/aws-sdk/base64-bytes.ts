/**
 * Base64 (RFC 4648, section 4) from bytes to bytes. Threat answered: a key as a string, which can neither be wiped nor
 * be found again. Strict (section 3.5): one text for each value, or a changed text could pass for the true one.
 */
import { unmovedMemory } from "../../crypto/secret.ts";

const ALPHABET = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "latin1");
const PAD = 0x3d;
const UNKNOWN = 0xff;
const SEXTETS = new Uint8Array(256).fill(UNKNOWN);
for (const [sextet, character] of ALPHABET.entries()) SEXTETS[character] = sextet;

/** How many characters `bytes` bytes take. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

/** Writes the base64 text of `source` into `target`, from `at` on. */
export function writeBase64(source: Uint8Array, target: Uint8Array, at: number): void {
  const character = (sextet: number): number => ALPHABET[sextet & 63] ?? PAD;
  let to = at;
  for (let from = 0; from < source.length; from += 3) {
    const left = source.length - from;
    const a = source[from] ?? 0;
    const b = source[from + 1] ?? 0;
    const c = source[from + 2] ?? 0;
    target[to++] = character(a >> 2);
    target[to++] = character((a << 4) | (b >> 4));
    target[to++] = left > 1 ? character((b << 2) | (c >> 6)) : PAD;
    target[to++] = left > 2 ? character(c) : PAD;
  }
}

/**
 * What `text` stands for, in unmoved memory that the caller wipes. Null: not the padded base64 of one byte or more,
 * with clean trailing bits.
 */
export function readBase64(text: Uint8Array): Buffer | null {
  if (text.length === 0 || text.length % 4 !== 0) return null;
  const padding = text.at(-1) !== PAD ? 0 : text.at(-2) !== PAD ? 1 : 2;
  const bytes = unmovedMemory((text.length / 4) * 3 - padding);
  const characters = text.length - padding;
  let unknown = 0;
  let bits = 0;
  let to = 0;
  for (let from = 0; from < characters; from++) {
    const sextet = SEXTETS[text[from] ?? PAD] ?? UNKNOWN;
    unknown |= sextet & 0xc0;
    bits = ((bits << 6) | sextet) & 0xffff;
    const phase = from & 3;
    if (phase !== 0) bytes[to++] = bits >> (6 - 2 * phase);
  }
  // What is left over of the last character must be zero.
  const trailing = padding === 0 ? 0 : bits & (padding === 1 ? 0x03 : 0x0f);
  if (unknown === 0 && trailing === 0) return bytes;
  bytes.fill(0);
  return null;
}
