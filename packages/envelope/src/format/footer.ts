/**
 * The footer of signed messages (data-format/message-footer.md): the signature's length and the signature.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import { ByteReader } from "./byte-reader.ts";
import type { AlgorithmSuite } from "./suites.ts";

/** Longest DER encoding of an ECDSA signature per curve: two integers of the curve's size, each with a sign byte. */
const MAX_SIGNATURE: Readonly<Record<"prime256v1" | "secp384r1", number>> = { prime256v1: 72, secp384r1: 104 };

/** A view of the signature at `offset`, and the offset after it. Longer than the curve can make is malformed. */
export function readFooter(
  message: Uint8Array,
  offset: number,
  suite: AlgorithmSuite,
): { readonly signature: Buffer; readonly end: number } {
  const reader = new ByteReader(message, offset);
  const length = reader.uint16();
  const longest = suite.signature === null ? 0 : MAX_SIGNATURE[suite.signature.curve];
  if (length === 0 || length > longest) {
    throw new EnvelopeError("message-malformed", `A signature of ${length} bytes cannot be of this suite`);
  }
  return { signature: reader.bytes(length), end: reader.offset };
}

export function footerBytes(signature: Uint8Array): Buffer {
  const footer = Buffer.allocUnsafe(2 + signature.length);
  footer.writeUInt16BE(signature.length, 0);
  footer.set(signature, 2);
  return footer;
}
