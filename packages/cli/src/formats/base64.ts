// Base64 as files hold it: Node takes anything for it, and leaves out what is none.

/** Whether a text is base64, with its padding (RFC 4648, section 4). */
export function isBase64(text: string): boolean {
  return /^[A-Za-z\d+/]*={0,2}$/.test(text) && text.length % 4 === 0;
}
