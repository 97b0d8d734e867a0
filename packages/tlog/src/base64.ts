// Base64 (RFC 4648, section 4) with one text for each value: what decodes leniently can be changed without its
// signature noticing.

/** The bytes, or null if `text` is not exactly how they are written. */
export function fromBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

/** The text of some bytes. */
export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
