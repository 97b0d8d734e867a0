/**
 * What both kinds of stream drive: bytes in, pieces of bytes out, in any chunking.
 */
import { wipeAndRelease } from "../crypto/secret.ts";

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
/** Small pieces are joined when they come to so many bytes, or are so many that their objects weigh more. */
const JOINED_BYTES = 65_536;
const JOINED_COUNT = 1_024;

/**
 * Collects pieces on their way out. Neighbouring small ones become one piece in memory of its own, never of Node's
 * shared pool: they may be plaintext. Large ones stay as they are. A million pieces of one byte cost about as much
 * memory as one of a million bytes.
 */
export class PieceList {
  #pieces: Uint8Array[] = [];
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  #length = 0;

  /** Bytes that are collected. */
  get length(): number {
    return this.#length;
  }

  /** Takes ownership of `piece`, whose memory is wiped when it has been copied. */
  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    if (piece.length >= SMALL_PIECE) {
      this.#join();
      this.#pieces.push(piece);
      return;
    }
    this.#small.push(piece);
    this.#smallBytes += piece.length;
    if (this.#smallBytes >= JOINED_BYTES || this.#small.length >= JOINED_COUNT) this.#join();
  }

  /** All that was collected, in order. The list is empty afterwards. */
  take(): Pieces {
    this.#join();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#length = 0;
    return pieces;
  }

  /** Overwrites and forgets what was collected. */
  wipe(): void {
    for (const piece of this.#small) piece.fill(0);
    for (const piece of this.#pieces) piece.fill(0);
    this.#small = [];
    this.#pieces = [];
    this.#smallBytes = 0;
    this.#length = 0;
  }

  #join(): void {
    const small = this.#small;
    if (small.length === 0) return;
    this.#pieces.push(small.length === 1 && small[0] !== undefined ? small[0] : joined(small, this.#smallBytes));
    this.#small = [];
    this.#smallBytes = 0;
  }
}

function joined(pieces: Pieces, length: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
    wipeAndRelease(piece);
  }
  return whole;
}

const NOTHING = Buffer.alloc(0);

/**
 * Collects the parts of a message (header, block, footer) that do not lie whole in one chunk. Memory grows only by what
 * came in: a length that a message merely claims takes none.
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

  /** Adds bytes to a part that has at most `most` of them. */
  append(bytes: Uint8Array, most: number): void {
    const length = this.#length + bytes.length;
    if (length > this.#memory.length) {
      // Doubling, so that many small chunks are copied few times.
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * this.#memory.length, most)));
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
