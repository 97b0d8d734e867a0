// Overwriting memory that has been freed with secrets in it. OpenSSL wipes a key when it frees it, but not the DER that
// it read the key from, and node:crypto frees one copy of what it deciphers as it is. Neither can be asked to.
// Threat: whole private keys in a memory dump of a server that has been idle for hours.

/** Sizes in which holes are filled, largest first: what is left of a hole is for the next. */
const SIZES: readonly number[] = [8192, 4096, 2048, 1024, 512, 256];
/** So much of each. More than a server has in holes, less than is noticed. */
const BYTES_OF_EACH = 2 ** 21;

/**
 * Takes the holes of the heap and fills them with zeros: the allocator uses them up before it asks the system for more.
 * Best effort: it takes milliseconds, and finds what is freed by then. The memory is free again after the next collection.
 */
export function overwriteFreedMemory(): void {
  const held: Buffer[] = [];
  for (const size of SIZES) {
    // Not `alloc`: that takes untouched memory, which is zero already, where it can.
    for (let filled = 0; filled < BYTES_OF_EACH; filled += size) held.push(Buffer.allocUnsafeSlow(size).fill(0));
  }
}

/**
 * Takes the place of length `length` that was freed a moment ago, which the allocator gives again to the first who asks
 * for as much, and fills it with zeros. Short ones (up to 64 bytes) are not worth it: they are taken again at once anyway.
 */
export function overwriteJustFreed(length: number): void {
  if (length > 64) Buffer.allocUnsafeSlow(length).fill(0);
}
