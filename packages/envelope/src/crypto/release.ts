/**
 * Gives memory back by hand. node's ciphers and hashes return each result in new memory outside the JavaScript heap, of
 * which the garbage collector learns late: results that were only copied from would pile up by the megabyte, and every
 * next one lie in memory that no cache has seen.
 */

/**
 * Frees the memory of `bytes`, which must not be used any more. For results of node:crypto that nobody else has seen.
 * Memory that is part of something larger, or shared between threads, stays.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Overwrites a secret with zeros and frees its memory. */
export function wipeAndRelease(secret: Uint8Array): void {
  secret.fill(0);
  release(secret);
}
