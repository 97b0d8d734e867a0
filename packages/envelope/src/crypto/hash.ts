/**
 * Plain hashes of public bytes.
 */
import { hash } from "node:crypto";

/** SHA-384 of the parts joined, as a base64 string. */
export function sha384(parts: readonly Uint8Array[]): string {
  return hash("sha384", Buffer.concat(parts), "base64");
}
