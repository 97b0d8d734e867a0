/**
 * A cursor over big-endian bytes that never reads past the end: what is missing is `message-truncated`, with the
 * length that would be enough, so that a stream can wait for it.
 */
import { isAscii } from "node:buffer";
import { EnvelopeError } from "../errors.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly #bytes: Buffer;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = asBuffer(bytes);
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Throws `message-truncated` unless `length` more bytes are there. */
  need(length: number): void {
    const needed = this.#offset + length;
    if (needed > this.#bytes.length) {
      throw new EnvelopeError(
        "message-truncated",
        `The message ends at byte ${this.#bytes.length}, byte ${needed} is needed`,
        {
          neededBytes: needed,
        },
      );
    }
  }

  uint8(): number {
    this.need(1);
    return this.#bytes.readUInt8(this.#offset++);
  }

  uint16(): number {
    this.need(2);
    const value = this.#bytes.readUInt16BE(this.#offset);
    this.#offset += 2;
    return value;
  }

  uint32(): number {
    this.need(4);
    const value = this.#bytes.readUInt32BE(this.#offset);
    this.#offset += 4;
    return value;
  }

  /** An unsigned 64-bit number; one that a JS number cannot hold exactly is malformed: no such message can exist. */
  uint64(): number {
    this.need(8);
    const value = this.#bytes.readBigUInt64BE(this.#offset);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new EnvelopeError("message-malformed", `The 64-bit length at byte ${this.#offset} is impossible`);
    }
    this.#offset += 8;
    return Number(value);
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    this.need(length);
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  /** What was read since `start`. A view, not a copy. */
  since(start: number): Buffer {
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Passes over `expected` if these are the next bytes; if not, stays where it is. */
  skip(expected: Buffer): boolean {
    const end = this.#offset + expected.length;
    if (end > this.#bytes.length || this.#bytes.compare(expected, 0, expected.length, this.#offset, end) !== 0)
      return false;
    this.#offset = end;
    return true;
  }

  /** Strict UTF-8: two byte sequences must never read as one string. */
  utf8(length: number, what: string): string {
    const start = this.#offset;
    const bytes = this.bytes(length);
    // Nearly always, and several times as fast.
    if (isAscii(bytes)) return bytes.toString("latin1");
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new EnvelopeError("message-malformed", `The ${what} at byte ${start} is not UTF-8`);
    }
  }
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
