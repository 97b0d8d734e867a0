// Memory that was freed with secrets in it. OpenSSL wipes a key when it frees it, but not the DER that it read the key
// from, and node:crypto frees one copy of what it deciphers as it is; neither can be asked to. And Node frees keys only
// when the garbage collector comes by: in an idle process, never.
// Threat: key material in a memory dump of a server that has had nothing to do for hours.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

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
function overwriteFreedMemory(): void {
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

/** After so long without a call, milliseconds. */
export const IDLE_MS = 2000;

/** When no call has come for a while, collects garbage once and overwrites the memory that was freed unwiped. */
export class IdleSweep {
  #timer: NodeJS.Timeout | null = null;
  readonly #collect: () => void;

  constructor(collect: () => void = collector()) {
    this.#collect = collect;
  }

  /** A call has come in. */
  touch(): void {
    if (this.#timer !== null) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#collect();
    }, IDLE_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** V8's collector; Node shows it only under a flag, which can be set at run time. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    overwriteFreedMemory();
    collect();
  };
}
