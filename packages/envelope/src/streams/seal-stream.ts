/**
 * Encrypts a stream into one message (client-apis/encrypt.md, client-apis/streaming.md). Holds less than one frame of
 * plaintext. A full frame is written at once as a regular frame, so an exact multiple ends with an empty final frame.
 */
import { messageSigner } from "../crypto/signature.ts";
import type { MessageSigner } from "../crypto/signature.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { footerBytes, MAX_FRAMES } from "../format/body.ts";
import type { FrameKind } from "../format/body.ts";
import type { EncryptionContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import type { ResolvedEncryptOptions } from "../message/options.ts";
import { MessageSealer } from "../message/sealing.ts";
import { PieceList } from "./byte-transform.ts";
import type { ByteTransform, Pieces } from "./byte-transform.ts";

/** What is known once the header is written. */
export interface EncryptStreamResult {
  readonly encryptionContext: EncryptionContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly wraps?: WrapReport;
}

export interface SealStreamOptions extends ResolvedEncryptOptions {
  /** The stream has no more bytes than this; null when that is not known. */
  readonly plaintextLengthBound: number | null;
  readonly onStart: (result: EncryptStreamResult) => void;
}

export class SealStream implements ByteTransform {
  readonly #options: SealStreamOptions;
  readonly #most: number;
  #sealer: MessageSealer | null = null;
  #signer: MessageSigner | null = null;
  #sequence = 0;
  #taken = 0;
  /** Plaintext that does not fill a frame yet. */
  #rest: Buffer;
  #restLength = 0;

  constructor(options: SealStreamOptions) {
    this.#options = options;
    this.#most = Math.min(options.limits.plaintextBytes, options.plaintextLengthBound ?? Infinity);
    this.#rest = Buffer.alloc(0);
  }

  push(chunk: Uint8Array): Pieces | Promise<Pieces> {
    requireNotAborted(this.#options.signal);
    this.#taken += chunk.length;
    if (this.#taken > this.#most)
      throw new EnvelopeError("limit-exceeded", `The plaintext is longer than the ${this.#most} bytes allowed`);
    if (this.#sealer !== null) return this.#frames(this.#sealer, chunk);
    return this.#begin().then(({ sealer, header }) => [header, ...this.#frames(sealer, chunk)]);
  }

  end(): Pieces | Promise<Pieces> {
    requireNotAborted(this.#options.signal);
    if (this.#sealer !== null) return this.#finish(this.#sealer);
    return this.#begin().then(({ sealer, header }) => [header, ...this.#finish(sealer)]);
  }

  abandon(): void {
    this.#rest.fill(0);
  }

  async #begin(): Promise<{ readonly sealer: MessageSealer; readonly header: Buffer }> {
    const { manager, suite, commitmentPolicy, context, requiredContextKeys, frameLength, limits, signal, onCall } =
      this.#options;
    const materials = await manager.getEncryptionMaterials(
      {
        suite,
        commitmentPolicy,
        encryptionContext: context,
        requiredContextKeys,
        plaintextLength: this.#options.plaintextLengthBound,
      },
      { signal, onCall },
    );
    try {
      const sealer = new MessageSealer(materials, frameLength, limits);
      // Given up in the meantime: nothing may be taken in that nobody would wipe.
      requireNotAborted(signal);
      if (materials.signingKey !== null) this.#signer = messageSigner(materials.signingKey);
      const header = Buffer.allocUnsafe(sealer.headerLength);
      sealer.writeHeader(header);
      this.#signer?.update(header);
      this.#sealer = sealer;
      const { encryptedDataKeys, wraps } = materials;
      this.#options.onStart({
        encryptionContext: context.given,
        encryptedDataKeys,
        ...(wraps === undefined ? {} : { wraps }),
      });
      return { sealer, header };
    } finally {
      materials.dataKey.wipe();
    }
  }

  /** All the regular frames that the rest and the chunk make together. */
  #frames(sealer: MessageSealer, chunk: Uint8Array): Pieces {
    const { frameLength } = this.#options;
    const pieces = new PieceList();
    let used = 0;
    while (this.#restLength + chunk.length - used >= frameLength) {
      const content = this.#restLength > 0 ? this.#completedRest(chunk) : chunk.subarray(used, used + frameLength);
      used += frameLength - this.#restLength;
      this.#restLength = 0;
      this.#seal(sealer, "regular", content, pieces);
    }
    this.#keep(chunk.subarray(used));
    return this.#signed(pieces.take());
  }

  #finish(sealer: MessageSealer): Pieces {
    const pieces = new PieceList();
    this.#seal(sealer, "final", this.#rest.subarray(0, this.#restLength), pieces);
    this.#rest.fill(0);
    const body = this.#signed(pieces.take());
    return this.#signer === null ? body : [...body, footerBytes(this.#signer.sign())];
  }

  #seal(sealer: MessageSealer, kind: FrameKind, content: Uint8Array, pieces: PieceList): void {
    for (const piece of sealer.frames.framePieces(kind, this.#nextSequence(), content)) pieces.add(piece);
  }

  #signed(pieces: Pieces): Pieces {
    if (this.#signer !== null) for (const piece of pieces) this.#signer.update(piece);
    return pieces;
  }

  #nextSequence(): number {
    if (this.#sequence === MAX_FRAMES) {
      throw new EnvelopeError(
        "limit-exceeded",
        `A frameLength of ${this.#options.frameLength} makes more than ${MAX_FRAMES} frames`,
      );
    }
    return ++this.#sequence;
  }

  /** Fills the rest up to a frame from the start of `chunk`. Copies, as the chunk is not ours to keep. */
  #completedRest(chunk: Uint8Array): Buffer {
    const { frameLength } = this.#options;
    this.#reserve(frameLength);
    this.#rest.set(chunk.subarray(0, frameLength - this.#restLength), this.#restLength);
    return this.#rest.subarray(0, frameLength);
  }

  #keep(bytes: Uint8Array): void {
    this.#reserve(this.#restLength + bytes.length);
    this.#rest.set(bytes, this.#restLength);
    this.#restLength += bytes.length;
  }

  #reserve(length: number): void {
    if (length <= this.#rest.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * this.#rest.length), this.#options.frameLength));
    this.#rest.copy(grown, 0, 0, this.#restLength);
    this.#rest.fill(0);
    this.#rest = grown;
  }
}
