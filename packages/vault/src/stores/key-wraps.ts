/**
 * The wraps of a key as one value, for stores that keep them in one column: a byte that says which form it is, then for
 * each wrap its provider, the wrapping key's name and the ciphertext, each after its length in 4 bytes.
 */
import { MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "./key-limits.ts";
import type { KeyWrap } from "./key-store.ts";

const FORM = 1;
const PARTS = 3;

/** The value, in memory of its own: another thread may be sent it. */
export function wrapsForm(wraps: readonly KeyWrap[]): Buffer {
  const parts = wraps.flatMap(({ provider, info, ciphertext }) => [Buffer.from(provider, "utf8"), info, ciphertext]);
  const form = Buffer.alloc(parts.reduce((sum, { length }) => sum + 4 + length, 1));
  let at = form.writeUInt8(FORM);
  for (const part of parts) {
    at = form.writeUInt32BE(part.length, at);
    form.set(part, at);
    at += part.length;
  }
  return form;
}

/** The wraps; null: no vault writes such a value. */
export function parseWraps(form: Uint8Array): readonly KeyWrap[] | null {
  const bytes = Buffer.from(form.buffer, form.byteOffset, form.byteLength);
  if (bytes[0] !== FORM) return null;
  const parts: Buffer[] = [];
  for (let at = 1; at < bytes.length;) {
    if (bytes.length - at < 4 || parts.length >= MAX_KEY_WRAPS * PARTS) return null;
    const [from, length] = [at + 4, bytes.readUInt32BE(at)];
    if (length > MAX_WRAP_BYTES || length > bytes.length - from) return null;
    parts.push(bytes.subarray(from, from + length));
    at = from + length;
  }
  if (parts.length === 0 || parts.length % PARTS !== 0) return null;
  const wraps: KeyWrap[] = [];
  for (let at = 0; at < parts.length; at += PARTS) {
    const [name, info, ciphertext] = [parts[at], parts[at + 1], parts[at + 2]];
    if (name === undefined || info === undefined || ciphertext === undefined || ciphertext.length === 0) return null;
    const provider = name.toString("utf8");
    if (provider === "" || !Buffer.from(provider, "utf8").equals(name)) return null;
    wraps.push({ provider, info, ciphertext });
  }
  return wraps;
}
