/**
 * Plain digests of values that are not secret.
 */
import { hash } from "node:crypto";

/** SHA-384 (FIPS 180-4) of `bytes`: 48 bytes. */
export function sha384(bytes: Uint8Array): Buffer {
  return hash("sha384", bytes, "buffer");
}
