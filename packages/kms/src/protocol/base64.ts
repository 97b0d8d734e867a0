// Strict base64 (RFC 4648, section 4): `Buffer.from(s, "base64")` skips what it does not know, so junk
// around or inside a blob would pass unnoticed.

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

/** Decodes `text`, or gives null if it is not padded base64 with clean trailing bits. */
export function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !ALPHABET.test(text)) return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
