/**
 * The message body, frames or the unframed block (data-format/message-body.md), the additional authenticated data of
 * each (data-format/message-body-aad.md), and the footer of signed messages (data-format/message-footer.md). Where
 * things stand, not what they decrypt to.
 */
import { EnvelopeError } from "../errors.ts";
import { asBuffer, ByteReader } from "./byte-reader.ts";
import type { MessageHeader } from "./header.ts";
import { enforceLimit, IV_LENGTH, TAG_LENGTH } from "./suites.ts";
import type { AlgorithmSuite, MessageLimits } from "./suites.ts";

/** Marks the final frame; no regular frame can have this sequence number. */
export const SEQUENCE_NUMBER_END = 0xffff_ffff;
/** Most frames in one message. */
export const MAX_FRAMES = 0xffff_ffff;
/** Bytes of a regular frame beside its content. */
export const REGULAR_FRAME_OVERHEAD: number = 4 + IV_LENGTH + TAG_LENGTH;
/** Bytes of a final frame beside its content. */
export const FINAL_FRAME_OVERHEAD: number = 4 + REGULAR_FRAME_OVERHEAD + 4;
const REGULAR_CONTENT_OFFSET = 4 + IV_LENGTH;
const FINAL_CONTENT_OFFSET = 4 + 4 + IV_LENGTH + 4;
/** AES-GCM's own bound (message-body.md, "Encrypted Content Length"). */
const MAX_UNFRAMED = 2 ** 36 - 32;

export type FrameKind = "regular" | "final";
export type BlockKind = FrameKind | "single";

/** One authenticated block of a body: a frame, or the whole of an unframed body. Offsets into the message. */
export interface BodyBlock {
  readonly kind: BlockKind;
  readonly sequence: number;
  readonly ivOffset: number;
  readonly contentOffset: number;
  readonly contentLength: number;
  /** Offset after the block's tag. */
  readonly end: number;
}

/** What of a header it takes to find a message's blocks. */
export type FramedAs = Pick<MessageHeader, "contentType" | "frameLength">;

/**
 * The block that begins at `offset`. Only its fixed fields need to be there; `end` may lie beyond the input.
 *
 * The IV is taken from the block. Writers use the sequence number today, but early SDKs drew random ones, and the
 * published vectors have others too; the block's tag authenticates whichever it is.
 *
 * @throws EnvelopeError `message-malformed` for a frame out of order or longer than the frame length,
 *   `message-truncated` (with `neededBytes`) when even the fixed fields are not all there, `limit-exceeded`.
 */
export function readBlock(
  message: Uint8Array,
  offset: number,
  header: FramedAs,
  sequence: number,
  limits: MessageLimits,
): BodyBlock {
  const reader = new ByteReader(message, offset);
  if (header.contentType === "unframed") return readSingleBlock(reader, limits);
  const first = reader.uint32();
  const final = first === SEQUENCE_NUMBER_END;
  const found = final ? reader.uint32() : first;
  if (found !== sequence) {
    throw new EnvelopeError("message-malformed", `Frame ${sequence} is missing: frame ${found} stands in its place`);
  }
  const ivOffset = reader.offset;
  reader.bytes(IV_LENGTH);
  const contentLength = final ? reader.uint32() : header.frameLength;
  if (contentLength > header.frameLength) {
    throw new EnvelopeError(
      "message-malformed",
      `The final frame (${contentLength} bytes) is longer than the frame length`,
    );
  }
  const contentOffset = reader.offset;
  return {
    kind: final ? "final" : "regular",
    sequence,
    ivOffset,
    contentOffset,
    contentLength,
    end: contentOffset + contentLength + TAG_LENGTH,
  };
}

function readSingleBlock(reader: ByteReader, limits: MessageLimits): BodyBlock {
  const ivOffset = reader.offset;
  reader.bytes(IV_LENGTH);
  const contentLength = reader.uint64();
  if (contentLength > MAX_UNFRAMED) {
    throw new EnvelopeError("message-malformed", `An unframed body cannot have ${contentLength} bytes`);
  }
  enforceLimit(limits, "frameBytes", contentLength);
  const contentOffset = reader.offset;
  return {
    kind: "single",
    sequence: 1,
    ivOffset,
    contentOffset,
    contentLength,
    end: contentOffset + contentLength + TAG_LENGTH,
  };
}

/** The shape of a complete body: regular frames are all of one size, so the last block says everything. */
export interface BodyLayout {
  readonly start: number;
  readonly last: BodyBlock;
  readonly plaintextLength: number;
}

/**
 * Walks a whole body without a key: every frame in its place, every length within the limits, the end where it must be.
 * Runs before any key is asked for, so a malformed message costs no KMS call.
 */
export function readBodyLayout(message: Uint8Array, header: MessageHeader, limits: MessageLimits): BodyLayout {
  const bytes = asBuffer(message);
  let offset = header.length;
  for (let sequence = 1; ; sequence++) {
    const block = readBlock(bytes, offset, header, sequence, limits);
    const plaintextLength = (sequence - 1) * header.frameLength + block.contentLength;
    enforceLimit(limits, "plaintextBytes", plaintextLength);
    new ByteReader(bytes, block.contentOffset).need(block.end - block.contentOffset);
    if (block.kind !== "regular") return { start: header.length, last: block, plaintextLength };
    offset = block.end;
  }
}

/**
 * Bytes of the body that `plaintextLength` bytes make: at least one frame, the last one final and full if it can be.
 */
export function framedBodyLength(plaintextLength: number, frameLength: number): number {
  const frames = frameCount(plaintextLength, frameLength);
  return plaintextLength + (frames - 1) * REGULAR_FRAME_OVERHEAD + FINAL_FRAME_OVERHEAD;
}

export function frameCount(plaintextLength: number, frameLength: number): number {
  return Math.max(1, Math.ceil(plaintextLength / frameLength));
}

/** Bytes that stand before a frame's content. */
export function frameStartLength(kind: FrameKind): number {
  return kind === "final" ? FINAL_CONTENT_OFFSET : REGULAR_CONTENT_OFFSET;
}

/** Writes what stands before a frame's content at `offset`; returns the offset of the content. */
export function writeFrameStart(
  target: Buffer,
  start: number,
  kind: FrameKind,
  sequence: number,
  contentLength: number,
): number {
  const offset = kind === "final" ? target.writeUInt32BE(SEQUENCE_NUMBER_END, start) : start;
  target.writeUInt32BE(sequence, offset);
  target.writeUInt32BE(0, offset + 4);
  target.writeUInt32BE(0, offset + 8);
  target.writeUInt32BE(sequence, offset + 12);
  if (kind === "final") target.writeUInt32BE(contentLength, offset + 16);
  return start + frameStartLength(kind);
}

const BLOCK_LABELS: Readonly<Record<BlockKind, Buffer>> = {
  regular: Buffer.from("AWSKMSEncryptionClient Frame"),
  final: Buffer.from("AWSKMSEncryptionClient Final Frame"),
  single: Buffer.from("AWSKMSEncryptionClient Single Block"),
};

/**
 * Builds the AAD of one message's blocks in buffers that are reused: the AAD of a block is valid until the next call.
 */
export class BodyAad {
  readonly #messageId: Buffer;
  readonly #buffers: Partial<Record<BlockKind, Buffer>> = {};

  constructor(messageId: Buffer) {
    this.#messageId = messageId;
  }

  of(kind: BlockKind, sequence: number, contentLength: number): Buffer {
    const aad = (this.#buffers[kind] ??= this.#begin(BLOCK_LABELS[kind]));
    const end = aad.length;
    aad.writeUInt32BE(sequence, end - 12);
    aad.writeUInt32BE(Math.floor(contentLength / 2 ** 32), end - 8);
    aad.writeUInt32BE(contentLength % 2 ** 32, end - 4);
    return aad;
  }

  #begin(label: Buffer): Buffer {
    const aad = Buffer.allocUnsafe(this.#messageId.length + label.length + 12);
    label.copy(aad, this.#messageId.copy(aad, 0));
    return aad;
  }
}

/** Longest DER encoding of an ECDSA signature per curve: two integers of the curve's size, each with a sign byte. */
const MAX_SIGNATURE: Readonly<Record<"prime256v1" | "secp384r1", number>> = { prime256v1: 72, secp384r1: 104 };

/** A view of the signature at `offset`, and the offset after it. Longer than the curve can make is malformed. */
export function readFooter(
  message: Uint8Array,
  offset: number,
  suite: AlgorithmSuite,
): { readonly signature: Buffer; readonly end: number } {
  const reader = new ByteReader(message, offset);
  const length = reader.uint16();
  const longest = suite.signature === null ? 0 : MAX_SIGNATURE[suite.signature.curve];
  if (length === 0 || length > longest) {
    throw new EnvelopeError("message-malformed", `A signature of ${length} bytes cannot be of this suite`);
  }
  return { signature: reader.bytes(length), end: reader.offset };
}

export function footerBytes(signature: Uint8Array): Buffer {
  const footer = Buffer.allocUnsafe(2 + signature.length);
  footer.writeUInt16BE(signature.length, 0);
  footer.set(signature, 2);
  return footer;
}
