/**
 * Plain hashes of public bytes.
 */
import { hash } from "node:crypto";

/** SHA-384 as a base64 string. */
export function sha384(bytes: Uint8Array): string {
  return hash("sha384", bytes, "base64");
}

/** SHA-384 as its 48 bytes. */
export function sha384Digest(bytes: Uint8Array): Buffer {
  return hash("sha384", bytes, "buffer");
}
