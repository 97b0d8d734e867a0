// Base64 with one text for each value.

import { secretText } from "@strongroom/base/secret-memory";

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Decodes `text` (RFC 4648, section 4), or gives null if it is not padded base64 with clean trailing bits.
 * `Buffer.from(text, "base64")` alone skips what it does not know: junk around or inside a blob would pass unnoticed.
 */
export function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return null;
  const bytes = secretText(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
