// Searching much (a core dump) for many things at once (every piece of every key in every form): one pass over the
// bytes, whatever the number of needles.

import { closeSync, openSync, readSync } from "node:fs";

/** Bytes that decide whether a place is worth a look; every needle has at least so many. */
const PREFIX = 4;
const TABLE_BITS = 22;
const CHUNK = 1 << 24;

const slotOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);

interface Needle {
  readonly bytes: Buffer;
  readonly name: string;
}

/** Needles by their first bytes. */
export class NeedleIndex {
  readonly #slots = new Uint8Array(1 << TABLE_BITS);
  readonly #byPrefix = new Map<number, Needle[]>();
  #longest = 0;
  /** How many needles there are. */
  size = 0;

  add(name: string, bytes: Buffer): void {
    if (bytes.length < 8) throw new RangeError(`${name} is too short to be found by accident only`);
    const word = bytes.readUInt32LE(0);
    this.#slots[slotOf(word)] = 1;
    const known = this.#byPrefix.get(word) ?? [];
    if (known.some((one) => one.name === name && one.bytes.equals(bytes))) return;
    this.#byPrefix.set(word, [...known, { bytes, name }]);
    this.#longest = Math.max(this.#longest, bytes.length);
    this.size += 1;
  }

  /** Name -> how often it is in `haystack`. */
  in(haystack: Buffer, found = new Map<string, number>()): Map<string, number> {
    const last = haystack.length - PREFIX;
    if (last < 0) return found;
    let word = haystack.readUInt32LE(0);
    for (let at = 0; ; at++) {
      if (this.#slots[slotOf(word)] === 1) this.#look(haystack, at, word, found);
      if (at === last) return found;
      word = (word >>> 8) | ((haystack[at + PREFIX] ?? 0) << 24);
    }
  }

  #look(haystack: Buffer, at: number, word: number, found: Map<string, number>): void {
    for (const { bytes, name } of this.#byPrefix.get(word >>> 0) ?? []) {
      if (haystack.length - at >= bytes.length && haystack.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0)
        found.set(name, (found.get(name) ?? 0) + 1);
    }
  }

  /**
   * As `in`, over a file (or memory as one): from `start` to `end`. What lies across two reads is found as well,
   * perhaps twice.
   */
  inFile(
    path: string,
    {
      start = 0,
      end = Number.POSITIVE_INFINITY,
      found = new Map<string, number>(),
    }: { start?: number; end?: number; found?: Map<string, number> } = {},
  ): Map<string, number> {
    const file = openSync(path, "r");
    const chunk = Buffer.alloc(CHUNK + this.#longest);
    try {
      for (let at = start; at < end; at += CHUNK) {
        const read = readSync(file, chunk, 0, Math.min(chunk.length, end - at), at);
        if (read === 0) break;
        this.in(chunk.subarray(0, read), found);
      }
    } finally {
      closeSync(file);
    }
    return found;
  }
}
