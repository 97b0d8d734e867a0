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
  const fields = parts.flatMap((part) => {
    const bytes = bytesOf(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(fields);
}

function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  // A lone surrogate has no UTF-8 form: two texts would become one.
  if (typeof part === "string" && part.isWellFormed()) return Buffer.from(part, "utf8");
  if (Number.isSafeInteger(part) && (part as number) >= 0) return Buffer.from(String(part), "utf8");
  throw new VaultError("vault-option-invalid", "Only text, bytes and whole numbers can be bound to a key");
}
