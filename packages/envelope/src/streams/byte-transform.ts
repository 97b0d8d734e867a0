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
