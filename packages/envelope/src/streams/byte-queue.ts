/**
 * Collects the small fixed parts of a message (header, starts of frames, tags, footer) out of chunks of any size.
 * Memory grows only by what came in: a length that a message merely claims takes none.
 */

const NOTHING = Buffer.alloc(0);

export class ByteQueue {
  #memory: Buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All that is collected. Valid until the next `append` or `clear`. */
  get view(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#memory.length) {
      // Doubling, so that many small chunks are copied few times.
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#memory.length));
      this.#memory.copy(grown, 0, 0, this.#length);
      this.#memory = grown;
    }
    this.#memory.set(bytes, this.#length);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
  }
}
