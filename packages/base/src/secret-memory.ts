/**
 * Memory for secrets that has nothing else in it. What `Buffer.from`, `Buffer.concat` and `Buffer.allocUnsafe` make of
 * less than 4 KiB lies in a pool that they share: in the memory behind any other small buffer of the process, and a
 * fault in whatever holds one shows the secret.
 */

/** The bytes of a text; the caller wipes them. */
export function secretText(text: string, encoding: "utf8" | "hex" | "base64" | "base64url"): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text, encoding));
  return bytes.subarray(0, bytes.write(text, encoding));
}

/** The parts as one; the caller wipes both. */
export function secretConcat(parts: readonly Uint8Array[]): Buffer {
  const whole = Buffer.alloc(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
