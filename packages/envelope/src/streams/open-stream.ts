/**
 * Decrypts one message from a stream (client-apis/decrypt.md, client-apis/streaming.md). Frames are released as each
 * one authenticates; those of a signed message only when its signature is verified. A frame is collected as it came,
 * and decrypted when it is all there: no plaintext lies here that has not authenticated.
 */
import type { MessageVerifier } from "../crypto/signature.ts";
import { EnvelopeError, isEnvelopeError, requireNotAborted } from "../errors.ts";
import { frameStartLength, MAX_FRAMES, readBlock, readFooter } from "../format/body.ts";
import type { BodyBlock } from "../format/body.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { walkHeader } from "../format/header-length.ts";
import { parseHeader } from "../format/header.ts";
import type { MessageHeader } from "../format/header.ts";
import { enforceLimit } from "../format/suites.ts";
import { openedMessage } from "../message/decrypt.ts";
import type { OpenedMessage } from "../message/decrypt.ts";
import { headerAtHand, headerVerifier, matchContext, openHeader, requireReadable } from "../message/open-header.ts";
import type { ResolvedOptions } from "../message/options.ts";
import type { MessageOpener } from "../message/sealing.ts";
import { ByteQueue, NO_PIECES, PieceList } from "./byte-transform.ts";
import type { ByteTransform, Pieces } from "./byte-transform.ts";

/**
 * What to do with signed messages. Until the signature at its end is read, a signed message is authentic only to those
 * who trust everyone that can unwrap its data key.
 *
 * - `hold-back`: keep the plaintext, up to `limits.heldBackBytes`, and release it when the signature holds.
 * - `require`: the same, and a message that is not signed is refused before any key is asked for.
 * - `refuse`: fail after the header (client-apis/decrypt.md asks for such an option).
 * - `release-plaintext-before-its-signature-is-verified`: all but the last frame come out unverified. If the stream
 *   then fails, everything that was done with them must be undone.
 */
export type SignedMessages = "hold-back" | "require" | "refuse" | "release-plaintext-before-its-signature-is-verified";

export interface OpenStreamOptions extends ResolvedOptions {
  readonly signedMessages: SignedMessages;
  /** Called once the header is verified. */
  readonly onHeader: (opened: OpenedMessage) => void;
}

/** The shortest start of a block; a final frame's is longer, which its first bytes tell. */
const BLOCK_START_LENGTH: number = frameStartLength("regular");

/** What a message is made of, in its order. */
type Part = "header" | "block" | "footer" | "end";

export class OpenStream implements ByteTransform {
  readonly #options: OpenStreamOptions;
  readonly #walk: Generator<number, number, Buffer>;
  /** What is there of the current part, unless it lies whole in one chunk. */
  readonly #queue = new ByteQueue();
  #part: Part = "header";
  /** Bytes that the current part has at least. */
  #needed = 1;
  #header: MessageHeader | null = null;
  #opener: MessageOpener | null = null;
  #verifier: MessageVerifier | null = null;
  #sequence = 1;
  /** The block that is being collected, once its start is there. */
  #block: BodyBlock | null = null;
  /** Plaintext of all blocks so far. */
  #opened = 0;
  /** Released, and on its way out. */
  readonly #out = new PieceList();
  /** Authenticated, but the message's signature is not. */
  readonly #held = new PieceList();

  constructor(options: OpenStreamOptions) {
    this.#options = options;
    this.#walk = walkHeader(options.limits);
    this.#needed = this.#walk.next().value;
  }

  push(chunk: Uint8Array): Pieces | Promise<Pieces> {
    requireNotAborted(this.#options.signal);
    if (this.#part !== "header") return this.#read(asBuffer(chunk));
    const rest = this.#readHeader(asBuffer(chunk));
    return rest === null ? NO_PIECES : this.#begin().then(() => this.#read(rest));
  }

  end(): Pieces {
    requireNotAborted(this.#options.signal);
    if (this.#part !== "end") throw new EnvelopeError("message-truncated", "The stream ended before the message did");
    return NO_PIECES;
  }

  abandon(): void {
    this.#out.wipe();
    this.#held.wipe();
  }

  /** Collects the header and, when it is all there, parses it; returns what follows it in `chunk`. */
  #readHeader(chunk: Buffer): Buffer | null {
    let rest = chunk;
    for (;;) {
      const taken = rest.subarray(0, this.#needed - this.#queue.length);
      this.#queue.append(taken, Infinity);
      rest = rest.subarray(taken.length);
      if (this.#queue.length < this.#needed) return null;
      const step = this.#walk.next(this.#queue.view);
      if (step.done === true) break;
      this.#needed = step.value;
    }
    // Parsed from memory of its own: the queue's is reused, and the header is needed to the end.
    this.#header = parseHeader(Buffer.from(this.#queue.view), this.#options.limits);
    this.#queue.clear();
    return rest;
  }

  async #begin(): Promise<void> {
    const header = required(this.#header);
    const { suite } = header;
    const { commitmentPolicy, signedMessages } = this.#options;
    requireReadable(suite, { commitmentPolicy, signatureRequired: signedMessages === "require" });
    if (suite.signature !== null && signedMessages === "refuse") {
      throw new EnvelopeError("suite-unsupported", "The message is signed, and signedMessages is 'refuse'");
    }
    const context = matchContext(header.context, this.#options.context, this.#options.requiredContextKeys);
    const { opener, openedBy } =
      headerAtHand(header, context, this.#options) ?? (await openHeader(header, context, this.#options));
    // Given up in the meantime: nothing may be taken in that nobody would wipe.
    requireNotAborted(this.#options.signal);
    this.#opener = opener;
    this.#verifier = headerVerifier(header);
    this.#verifier?.update(header.bytes);
    this.#enter("block", BLOCK_START_LENGTH);
    this.#options.onHeader(openedMessage(header, context, openedBy));
  }

  #enter(part: Part, needed: number): void {
    this.#part = part;
    this.#needed = needed;
  }

  /** Takes all of `chunk`, part by part. */
  #read(chunk: Buffer): Pieces {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(this.#readPart(rest));
    return this.#out.take();
  }

  /** Reads a part where it lies, or collects it. Returns how many bytes it took; 0: look again. */
  #readPart(rest: Buffer): number {
    if (this.#part === "end") throw new EnvelopeError("message-trailing-bytes", "Bytes follow the end of the message");
    if (this.#queue.length === 0 && rest.length >= this.#needed) return this.#tryPart(rest);
    const taken = rest.subarray(0, this.#needed - this.#queue.length);
    this.#queue.append(taken, this.#needed);
    if (this.#queue.length === this.#needed && this.#tryPart(this.#queue.view) > 0) this.#queue.clear();
    return taken.length;
  }

  /** The length of the part that begins at `bytes`, which is done with; 0 when it is longer than was known. */
  #tryPart(bytes: Buffer): number {
    return this.#part === "block" ? this.#tryBlock(bytes) : this.#tryFooter(bytes);
  }

  #tryBlock(bytes: Buffer): number {
    const block = (this.#block ??= this.#startBlock(bytes));
    if (block === null) return 0;
    this.#needed = block.end;
    if (bytes.length < block.end) return 0;
    this.#block = null;
    this.#finishBlock(bytes, block);
    return block.end;
  }

  /** Held against the limits before its content is collected. */
  #startBlock(bytes: Buffer): BodyBlock | null {
    const { limits } = this.#options;
    const header = required(this.#header);
    const block = this.#parse(() => readBlock(bytes, 0, header, this.#sequence, limits));
    if (block === null) return null;
    this.#opened += block.contentLength;
    enforceLimit(limits, "plaintextBytes", this.#opened);
    return block;
  }

  #finishBlock(bytes: Buffer, block: BodyBlock): void {
    this.#verifier?.update(bytes.subarray(0, block.end));
    const plaintext = required(this.#opener).blocks.openBlock(bytes, block);
    const last = block.kind !== "regular";
    if (this.#mustHold(last)) this.#hold(plaintext);
    else this.#out.add(plaintext);
    if (last) this.#enter(this.#verifier === null ? "end" : "footer", 1);
    else this.#enter("block", BLOCK_START_LENGTH);
    if (!last && ++this.#sequence > MAX_FRAMES)
      throw new EnvelopeError("message-malformed", `The message has more than ${MAX_FRAMES} frames`);
  }

  get #holdsBack(): boolean {
    return this.#options.signedMessages !== "release-plaintext-before-its-signature-is-verified";
  }

  /** The last block of a signed message waits for the signature whatever the option. */
  #mustHold(last: boolean): boolean {
    return this.#verifier !== null && (last || this.#holdsBack);
  }

  #hold(plaintext: Buffer): void {
    this.#held.add(plaintext);
    enforceLimit(this.#options.limits, "heldBackBytes", this.#held.length);
  }

  #tryFooter(bytes: Buffer): number {
    const { suite } = required(this.#header);
    const footer = this.#parse(() => readFooter(bytes, 0, suite));
    if (footer === null) return 0;
    required(this.#verifier).verify(footer.signature);
    for (const piece of this.#held.take()) this.#out.add(piece);
    this.#enter("end", 0);
    return footer.end;
  }

  /** Runs a parser that may find too few bytes: then null, and `#needed` says how many it takes. */
  #parse<T>(parse: () => T): T | null {
    try {
      return parse();
    } catch (error) {
      if (!isEnvelopeError(error) || error.neededBytes === undefined) throw error;
      this.#needed = error.neededBytes;
      return null;
    }
  }
}

/** What an earlier stage has set. */
function required<T>(value: T | null): T {
  if (value === null) throw new TypeError("A stage of the stream ran before the one it depends on");
  return value;
}
