/**
 * Many short pieces of bytes in one piece of memory, which goes over to another thread as it is: each by itself would
 * be copied, and costs more to hand over than to write down. Each has its length before it.
 */
import type { OwnBytes } from "./units-taken.ts";

const LENGTH_BYTES = 4;
/** A length that no piece has. */
const NONE = 0xff_ff_ff_ff;

/** Null is kept as null. */
export function packed(pieces: readonly (Uint8Array | null)[]): OwnBytes {
  const size = pieces.reduce((sum, piece) => sum + LENGTH_BYTES + (piece?.length ?? 0), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece?.length ?? NONE, true);
    at += LENGTH_BYTES;
    if (piece === null) continue;
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Gives back what was packed, piece by piece. The pieces lie in the memory itself. */
export class Unpacked {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** @throws RangeError behind the last one */
  nextOrNull(): Uint8Array | null {
    const length = this.#view.getUint32(this.#at, true);
    this.#at += LENGTH_BYTES;
    if (length === NONE) return null;
    const piece = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return piece;
  }

  /** @throws RangeError behind the last one, and where null was packed */
  next(): Uint8Array {
    const piece = this.nextOrNull();
    if (piece === null) throw new RangeError("a piece is missing");
    return piece;
  }
}
