/**
 * Decrypts one message from bytes (client-apis/decrypt.md). Everything that can be refused without a key is refused
 * first; plaintext is returned only after all of it, and the signature where there is one, is verified.
 */
import { copyOfBytes, wipeCopy } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import { readBlock, readBodyLayout, readFooter, REGULAR_FRAME_OVERHEAD } from "../format/body.ts";
import type { BodyLayout } from "../format/body.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { callersContext } from "../format/encryption-context.ts";
import type { EncryptionContext } from "../format/encryption-context.ts";
import { parseHeader } from "../format/header.ts";
import type { MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/suites.ts";
import type { AlgorithmSuiteName } from "../format/suites.ts";
import type { OpeningKey } from "../keyrings/keyring.ts";
import { isShared, requireBytes } from "../options.ts";
import { headerAtHand, headerVerifier, matchContext, openHeader, requireReadable } from "./open-header.ts";
import type { MatchedContext, OpenedHeader } from "./open-header.ts";
import { resolveDecryptOptions } from "./options.ts";
import type { DecryptOptions, FrameWorkers, ResolvedDecryptOptions } from "./options.ts";
import type { MessageOpener } from "./sealing.ts";

/** What a message turned out to be, all of it authenticated. */
export interface OpenedMessage {
  /** The context the message was verified with; equal to the one given. */
  readonly encryptionContext: EncryptionContext;
  /** What of it the message stores: all but the entries of `requiredContextKeys`. */
  readonly storedContext: EncryptionContext;
  readonly suite: AlgorithmSuiteName;
  /** Whether the suite is a signed one. */
  readonly signed: boolean;
  /** The key that opened the data key; null where a keyring or materials manager of someone else's does not say. */
  readonly openedBy: OpeningKey | null;
}

export interface DecryptResult extends OpenedMessage {
  readonly plaintext: Uint8Array;
}

/**
 * Decrypts `message`, which must be one whole message and nothing else.
 *
 * @throws EnvelopeError `option-invalid`, `message-malformed`, `message-truncated`, `message-trailing-bytes`,
 *   `suite-unsupported`, `commitment-policy`, `signature-required`, `limit-exceeded`, `context-mismatch`: all before
 *   any key is asked for; then what the keyring throws; then `decryption-failed`.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "my-app", keyName: "2026-01", wrappingKey: randomBytes(32) });
 * const encryptionContext = { collection: "customers", id: "42" };
 * const { message } = await encrypt(Buffer.from("Ada Lovelace"), { keyring, encryptionContext });
 *
 * const { plaintext } = await decrypt(message, { keyring, encryptionContext });
 * console.log(Buffer.from(plaintext).toString()); // prints: Ada Lovelace
 *
 * const elsewhere = { collection: "customers", id: "43" };
 * await decrypt(message, { keyring, encryptionContext: elsewhere }).catch((error) => {
 *   console.log(error.code); // prints: context-mismatch
 * });
 * ```
 */
export async function decrypt(message: Uint8Array, options: DecryptOptions): Promise<DecryptResult> {
  const given = asBuffer(requireBytes(message, "message"));
  const resolved = resolveDecryptOptions(options);
  // Threat: another thread that changes what was checked.
  const whole = isShared(given) ? Buffer.from(given) : given;
  const parts = readParts(whole, resolved);
  requireNotAborted(resolved.signal);

  // Opened before anything is awaited: the caller's memory cannot change.
  const atHand = parts.inParallel ? null : headerAtHand(parts.header, parts.context, resolved);
  if (atHand !== null) return openBody(whole, parts, atHand, resolved);

  // Before the first await: from then on it may. The header lies in the copy, too.
  const taken = copyOfBytes(whole);
  try {
    const own = readParts(taken, resolved);
    const known = own.inParallel ? headerAtHand(own.header, own.context, resolved) : null;
    return await openBody(taken, own, known ?? (await openHeader(own.header, own.context, resolved)), resolved);
  } finally {
    wipeCopy(taken);
  }
}

/** A message that nothing is wrong with as far as can be seen without a key. */
interface MessageParts {
  readonly header: MessageHeader;
  readonly context: MatchedContext;
  readonly layout: BodyLayout;
  readonly signature: Buffer | null;
  /** Whether its frames are for the worker threads. */
  readonly inParallel: boolean;
}

function readParts(message: Buffer, resolved: ResolvedDecryptOptions): MessageParts {
  const { limits, workers } = resolved;
  const header = parseHeader(message, limits, resolved.context ?? undefined);
  requireReadable(header.suite, resolved);
  const context = matchContext(header.context, resolved.context, resolved.requiredContextKeys);
  const layout = readBodyLayout(message, header, limits);
  const signature = readEnd(message, header, layout);
  const inParallel = layout.last.sequence > 1 && workers?.takes(layout.plaintextLength, header.frameLength) === true;
  return { header, context, layout, signature, inParallel };
}

/** Awaits nothing unless it is in parallel. */
async function openBody(
  message: Buffer,
  { header, context, layout, signature, inParallel }: MessageParts,
  { opener, openedBy }: OpenedHeader,
  { workers, signal }: ResolvedDecryptOptions,
): Promise<DecryptResult> {
  const plaintext =
    inParallel && workers !== undefined
      ? await openInParallel(message, header, layout, opener, { workers, signal })
      : openHere(message, header, layout, opener);
  if (signature !== null) verifySignature(message.subarray(0, layout.last.end), header, signature, plaintext);
  return { ...openedMessage(header, context, openedBy), plaintext };
}

/** What is told of a message whose header was verified. */
export function openedMessage(
  { suite, context }: MessageHeader,
  { full }: MatchedContext,
  openedBy: OpeningKey | null,
): OpenedMessage {
  const storedContext = callersContext(context);
  return {
    encryptionContext: full === context ? storedContext : callersContext(full),
    storedContext,
    suite: suite.name,
    signed: suite.signature !== null,
    openedBy,
  };
}

/** The signature of a signed message, null of an unsigned one. Whatever follows is refused. */
function readEnd(message: Uint8Array, header: MessageHeader, { last }: BodyLayout): Buffer | null {
  const footer = header.suite.signature === null ? null : readFooter(message, last.end, header.suite);
  const end = footer?.end ?? last.end;
  if (end !== message.length) {
    throw new EnvelopeError("message-trailing-bytes", `${message.length - end} bytes follow the end of the message`);
  }
  return footer === null ? null : Buffer.from(footer.signature);
}

/** The plaintext is overwritten when the signature does not hold. */
function verifySignature(signed: Uint8Array, header: MessageHeader, signature: Uint8Array, plaintext: Buffer): void {
  try {
    const verifier = headerVerifier(header);
    verifier?.update(signed);
    verifier?.verify(signature);
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

function openHere(message: Uint8Array, header: MessageHeader, layout: BodyLayout, opener: MessageOpener): Buffer {
  if (layout.last.sequence === 1) return opener.blocks.openBlock(message, layout.last);
  const plaintext = Buffer.allocUnsafeSlow(layout.plaintextLength);
  openBlocks(message, header, layout, opener, { plaintext, from: 1 });
  return plaintext;
}

interface ParallelOpening {
  readonly workers: FrameWorkers;
  readonly signal: AbortSignal | undefined;
}

/** The same by the worker threads; the final frame is opened here. */
async function openInParallel(
  message: Uint8Array,
  header: MessageHeader,
  layout: BodyLayout,
  opener: MessageOpener,
  { workers, signal }: ParallelOpening,
): Promise<Buffer> {
  const plaintext = Buffer.allocUnsafeSlow(layout.plaintextLength);
  const { frameLength } = header;
  const frames = layout.last.sequence - 1;
  try {
    await workers.run(
      {
        kind: "open",
        frameKey: opener.frameKey,
        frameLength,
        frames,
        input: message,
        inputOffset: layout.start,
        output: plaintext,
        outputOffset: 0,
      },
      signal,
    );
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
  openBlocks(message, header, layout, opener, { plaintext, from: layout.last.sequence });
  return plaintext;
}

/** Opens the blocks from sequence number `from` to the last. All of the plaintext is overwritten when one fails. */
function openBlocks(
  message: Uint8Array,
  header: MessageHeader,
  { start, last }: BodyLayout,
  opener: MessageOpener,
  { plaintext, from }: { readonly plaintext: Buffer; readonly from: number },
): void {
  const bytes = asBuffer(message);
  let position = start + (from - 1) * (header.frameLength + REGULAR_FRAME_OVERHEAD);
  try {
    for (let sequence = from; sequence <= last.sequence; sequence++) {
      const block = sequence === last.sequence ? last : readBlock(bytes, position, header, sequence, FORMAT_LIMITS);
      opener.blocks.openBlockInto(plaintext, (sequence - 1) * header.frameLength, bytes, block);
      position = block.end;
    }
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}
