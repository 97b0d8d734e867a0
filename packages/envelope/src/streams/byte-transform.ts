/**
 * What both kinds of stream drive: bytes in, pieces of bytes out, in any chunking.
 */

export interface ByteTransform {
  /** Takes the next bytes, which the caller may reuse once this has settled. Pieces must be emitted in order. */
  push(chunk: Uint8Array): Pieces | Promise<Pieces>;
  /** The input has ended. */
  end(): Pieces | Promise<Pieces>;
  /** The stream was given up: secrets that are held are wiped. */
  abandon(): void;
}

export type Pieces = readonly Uint8Array[];

export const NO_PIECES: Pieces = [];

/** Pieces shorter than this are joined: handing a piece through a stream costs more than copying this much. */
const SMALL_PIECE = 16_384;

/** Joins neighbouring small pieces and leaves large ones as they are. */
export function coalesce(pieces: Pieces): Pieces {
  if (pieces.length < 2) return pieces;
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) joined.push(small.length === 1 && small[0] !== undefined ? small[0] : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < SMALL_PIECE) {
      small.push(piece);
    } else {
      flush();
      joined.push(piece);
    }
  }
  flush();
  return joined;
}

const NOTHING = Buffer.alloc(0);

/**
 * Collects the small fixed parts of a message (header, starts of frames, tags, footer) out of chunks of any size.
 * Memory grows only by what came in: a length that a message merely claims takes none.
 */
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
