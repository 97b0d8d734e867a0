/**
 * Memory that stays where it is until it is freed. Threat answered: V8 keeps a Buffer of up to 64 bytes, which is what
 * a key is, among its own objects, and moves it when it collects garbage; what it moved away from can not be wiped.
 */

/** `length` bytes of zeros, shared with nothing else. */
export function unmovedMemory(length: number): Buffer {
  // An ArrayBuffer that was there first is never among V8's objects, however short it is.
  return Buffer.from(new ArrayBuffer(length));
}
