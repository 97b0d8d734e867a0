// Quoted-printable text (RFC 2045, section 6.7) in the character set that a property of vCard 2.1 names.

/** Reads such text. Throws RangeError for a character set that is not known, and for bytes that are not of it. */
export function unquotedPrintable(charset: string): (text: string) => string {
  const decoder = decoderOf(charset);
  return (text) => {
    if (/[^\x00-\x7f]/.test(text)) throw new RangeError("holds characters that quoted-printable text cannot hold");
    const bytes = text.replace(/=([\dA-Fa-f]{2})/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
    try {
      return decoder.decode(Buffer.from(bytes, "latin1")).replaceAll("\r\n", "\n");
    } catch {
      throw new RangeError("holds bytes that are not of its character set");
    }
  };
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new RangeError("has a character set that is not known");
  }
}
