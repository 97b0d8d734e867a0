// Overwriting memory that was freed with secrets in it. OpenSSL wipes a key when it frees it, but not the DER that it
// read the key from, and node:crypto frees one copy of what it deciphers as it is. Neither can be asked to.
// Threat: whole private keys in a memory dump of a server that has been idle for hours.

/** Sizes in which holes are filled, largest first: what is left of a hole is for the next. */
const HOLES: readonly number[] = [8192, 4096, 2048, 1024, 512, 256];
/** So much of each: more than a server has in holes, less than is noticed. */
const BYTES_OF_EACH = 2 ** 21;

/**
 * Small freed places are kept apart by their exact size (glibc's bins are 16 bytes apart, up to 1032), some of each.
 */
const SMALL: readonly number[] = Array.from({ length: 61 }, (_, i) => 72 + 16 * i);
const SMALL_OF_EACH = 16;

/** Shorter buffers are not the allocator's: V8 keeps them in its own heap. */
const SHORTEST = 65;

// Not `Buffer.alloc`: where it can, that takes memory which nobody has written to, and so leaves the holes as they are.
const zeros = (length: number): Buffer => Buffer.allocUnsafeSlow(length).fill(0);

/**
 * Takes the holes of the heap and fills them with zeros: the allocator uses them up before it asks the system for more.
 * Best effort, for idle times: it takes some tens of milliseconds. The memory is free again after the next collection.
 */
export function overwriteFreedMemory(): void {
  const held: Buffer[] = [];
  for (const size of HOLES) {
    for (let filled = 0; filled < BYTES_OF_EACH; filled += size) held.push(zeros(size));
  }
  for (const size of SMALL) {
    for (let taken = 0; taken < SMALL_OF_EACH; taken++) held.push(zeros(size));
  }
}

/**
 * Takes a place of `length` bytes that was freed a moment ago, which the allocator gives to the first who asks for as
 * much, and fills it with zeros. Short ones are soon taken again by others.
 */
export function overwriteJustFreed(length: number): void {
  if (length >= SHORTEST) zeros(length);
}
