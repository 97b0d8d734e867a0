/**
 * Several parts as one text of bytes that can be told apart: each after its length. What is hashed, or authenticated
 * beside a ciphertext, is joined so everywhere in this folder: without lengths ("ab", "c") and ("a", "bc") are one.
 */
import { VaultError } from "../errors.ts";

/** Strings are UTF-8; numbers are whole and not negative, in decimal digits. */
export type Part = string | number | Uint8Array;

/**
 * Each part after its length, which is 4 bytes, big-endian.
 *
 * @throws VaultError `vault-option-invalid` for anything else than a part: what was forgotten must not be bound as
 *   "undefined"
 */
export function lp(parts: readonly Part[]): Buffer {
  const fields = parts.map(fieldOf);
  let length = 0;
  for (const field of fields) length += LENGTH_BYTES + sizeOf(field);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const field of fields) {
    const size = sizeOf(field);
    bytes.writeUInt32BE(size, at);
    if (typeof field === "string") bytes.write(field, at + LENGTH_BYTES, "utf8");
    else bytes.set(field, at + LENGTH_BYTES);
    at += LENGTH_BYTES + size;
  }
  return bytes;
}

const LENGTH_BYTES = 4;

const sizeOf = (field: string | Uint8Array): number =>
  typeof field === "string" ? Buffer.byteLength(field, "utf8") : field.length;

function fieldOf(part: unknown): string | Uint8Array {
  if (part instanceof Uint8Array) return part;
  // A lone surrogate has no UTF-8 form: two texts would become one.
  if (typeof part === "string" && part.isWellFormed()) return part;
  if (Number.isSafeInteger(part) && (part as number) >= 0) return String(part);
  throw new VaultError("vault-option-invalid", "Only text, bytes and whole numbers can be bound to a key");
}
