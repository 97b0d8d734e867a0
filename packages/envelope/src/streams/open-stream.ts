/**
 * Decrypts one message from a stream (client-apis/decrypt.md, client-apis/streaming.md). Frames are released as each
 * one authenticates; those of a signed message only when its signature is verified.
 */
import type { GcmOpening } from "../crypto/gcm.ts";
import type { MessageVerifier } from "../crypto/signature.ts";
import { EnvelopeError, isEnvelopeError, requireNotAborted } from "../errors.ts";
import { frameStartLength, MAX_FRAMES, readBlock, readFooter } from "../format/body.ts";
import type { BodyBlock } from "../format/body.ts";
import { parseHeader } from "../format/header.ts";
import type { MessageHeader } from "../format/header.ts";
import { enforceLimit, IV_LENGTH, TAG_LENGTH } from "../format/suites.ts";
import { headerVerifier, matchContext, openedMessage, openHeader, requireReadable } from "../message/decrypt.ts";
import type { OpenedMessage } from "../message/decrypt.ts";
import type { ResolvedOptions } from "../message/options.ts";
import type { MessageOpener } from "../message/sealing.ts";
import { ByteQueue, coalesce, NO_PIECES } from "./byte-transform.ts";
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

type Stage = "header" | "block-start" | "content" | "tag" | "footer" | "done";

/** The block that is being read. */
interface CurrentBlock {
  readonly block: BodyBlock;
  readonly opening: GcmOpening;
  /** Bytes of content that have not come yet. */
  missing: number;
}

export class OpenStream implements ByteTransform {
  readonly #options: OpenStreamOptions;
  readonly #queue = new ByteQueue();
  #stage: Stage = "header";
  /** Bytes that the current part needs at least. */
  #needed = 1;
  #header: MessageHeader | null = null;
  #opener: MessageOpener | null = null;
  #verifier: MessageVerifier | null = null;
  #sequence = 1;
  #current: CurrentBlock | null = null;
  /** Plaintext of all blocks so far. */
  #opened = 0;
  /** Decrypted, but its tag is not checked yet. */
  #unverified: Buffer[] = [];
  /** Authenticated, but the message's signature is not. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(options: OpenStreamOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): Pieces | Promise<Pieces> {
    requireNotAborted(this.#options.signal);
    if (this.#stage !== "header") return this.#read(chunk);
    const rest = this.#tryHeader(chunk);
    return rest === null ? NO_PIECES : this.#begin().then(() => this.#read(rest));
  }

  end(): Pieces {
    requireNotAborted(this.#options.signal);
    if (this.#stage !== "done") throw new EnvelopeError("message-truncated", "The stream ended before the message did");
    return NO_PIECES;
  }

  abandon(): void {
    for (const piece of [...this.#unverified, ...this.#held]) piece.fill(0);
    this.#unverified = [];
    this.#held = [];
  }

  /** Reads the header if it is all there; returns what follows it in `chunk`. */
  #tryHeader(chunk: Uint8Array): Uint8Array | null {
    this.#queue.append(chunk);
    if (this.#queue.length < this.#needed) return null;
    const collected = this.#queue.view;
    const parsed = this.#parse(() => parseHeader(collected, this.#options.limits));
    if (parsed === null) return null;
    // Parsed again from memory of its own: the queue's is reused, and the header is needed to the end.
    this.#header = parseHeader(Buffer.from(collected.subarray(0, parsed.length)), this.#options.limits);
    const rest = chunk.subarray(chunk.length - (collected.length - parsed.length));
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
    const { opener, openedBy } = await openHeader(header, context, this.#options);
    this.#opener = opener;
    this.#verifier = headerVerifier(header);
    this.#verifier?.update(header.bytes);
    this.#enter("block-start", BLOCK_START_LENGTH);
    this.#options.onHeader(openedMessage(header, context, openedBy));
  }

  #enter(stage: Stage, needed: number): void {
    this.#stage = stage;
    this.#needed = needed;
    this.#queue.clear();
  }

  /** Takes all of `chunk`, part by part. */
  #read(chunk: Uint8Array): Pieces {
    const pieces: Buffer[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#stage === "content" ? this.#readContent(rest) : this.#readPart(rest, pieces);
    }
    return coalesce(pieces);
  }

  #readContent(rest: Uint8Array): Uint8Array {
    const current = required(this.#current);
    const content = rest.subarray(0, current.missing);
    this.#verifier?.update(content);
    this.#unverified.push(current.opening.update(content));
    current.missing -= content.length;
    if (current.missing === 0) this.#enter("tag", TAG_LENGTH);
    return rest.subarray(content.length);
  }

  /** Collects one of the small parts and, when it is complete, acts on it. */
  #readPart(rest: Uint8Array, pieces: Buffer[]): Uint8Array {
    if (this.#stage === "done")
      throw new EnvelopeError("message-trailing-bytes", "Bytes follow the end of the message");
    const taken = rest.subarray(0, this.#needed - this.#queue.length);
    this.#queue.append(taken);
    if (this.#queue.length >= this.#needed) {
      if (this.#stage === "block-start") this.#startBlock(this.#queue.view);
      else if (this.#stage === "tag") pieces.push(...this.#finishBlock(this.#queue.view));
      else pieces.push(...this.#finishMessage(this.#queue.view));
    }
    return rest.subarray(taken.length);
  }

  #startBlock(start: Buffer): void {
    const { limits } = this.#options;
    const header = required(this.#header);
    const block = this.#parse(() => readBlock(start, 0, header, this.#sequence, limits));
    if (block === null) return;
    this.#opened += block.contentLength;
    enforceLimit(limits, "plaintextBytes", this.#opened);
    this.#verifier?.update(start);
    const iv = start.subarray(block.ivOffset, block.ivOffset + IV_LENGTH);
    this.#current = {
      block,
      opening: required(this.#opener).blocks.beginBlock(block, iv),
      missing: block.contentLength,
    };
    if (block.contentLength === 0) this.#enter("tag", TAG_LENGTH);
    else this.#enter("content", 0);
  }

  #finishBlock(tag: Buffer): readonly Buffer[] {
    const { block, opening } = required(this.#current);
    this.#verifier?.update(tag);
    opening.verify(tag);
    const plaintext = this.#unverified;
    this.#unverified = [];
    const last = block.kind !== "regular";
    if (!last) {
      this.#enter("block-start", BLOCK_START_LENGTH);
      if (++this.#sequence > MAX_FRAMES)
        throw new EnvelopeError("message-malformed", `The message has more than ${MAX_FRAMES} frames`);
    } else if (this.#verifier === null) {
      this.#enter("done", 0);
    } else {
      this.#enter("footer", 1);
    }
    return this.#mustHold(last) ? this.#hold(plaintext) : plaintext;
  }

  get #holdsBack(): boolean {
    return this.#options.signedMessages !== "release-plaintext-before-its-signature-is-verified";
  }

  /** The last block of a signed message waits for the signature whatever the option. */
  #mustHold(last: boolean): boolean {
    return this.#verifier !== null && (last || this.#holdsBack);
  }

  #hold(plaintext: readonly Buffer[]): readonly Buffer[] {
    this.#held.push(...plaintext);
    for (const piece of plaintext) this.#heldBytes += piece.length;
    enforceLimit(this.#options.limits, "heldBackBytes", this.#heldBytes);
    return [];
  }

  #finishMessage(collected: Buffer): readonly Buffer[] {
    const { suite } = required(this.#header);
    const footer = this.#parse(() => readFooter(collected, 0, suite));
    if (footer === null) return [];
    required(this.#verifier).verify(footer.signature);
    const plaintext = this.#held;
    this.#held = [];
    this.#enter("done", 0);
    return plaintext;
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
