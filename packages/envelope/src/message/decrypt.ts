/**
 * Decrypts one message from bytes (client-apis/decrypt.md). Everything that can be refused without a key is refused
 * first; plaintext is returned only after all of it, and the signature where there is one, is verified.
 */
import { copyOfBytes, sharedBytes, wipeCopy } from "../crypto/secret.ts";
import { messageVerifier } from "../crypto/signature.ts";
import type { MessageVerifier } from "../crypto/signature.ts";
import { EnvelopeError, requireNotAborted, shown, shownList } from "../errors.ts";
import { readBlock, readBodyLayout, readFooter, REGULAR_FRAME_OVERHEAD } from "../format/body.ts";
import type { BodyLayout } from "../format/body.ts";
import { asBuffer } from "../format/byte-reader.ts";
import { callersContext, canonicalPairs, differingKeys, PUBLIC_KEY_FIELD } from "../format/encryption-context.ts";
import type { CanonicalContext, EncryptionContext } from "../format/encryption-context.ts";
import { parseHeader } from "../format/header.ts";
import type { MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/suites.ts";
import type { AlgorithmSuite, AlgorithmSuiteName } from "../format/suites.ts";
import type { OpeningKey } from "../keyrings/keyring.ts";
import { requireDecryptAllowed } from "../materials/materials-manager.ts";
import { requireBytes } from "../options.ts";
import { resolveDecryptOptions } from "./options.ts";
import type { DecryptOptions, FrameWorkers, ResolvedDecryptOptions, ResolvedOptions } from "./options.ts";
import { MessageOpener } from "./sealing.ts";

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

/** Up to so many bytes, a copy that the garbage collector frees costs less than one that is freed here. */
const SHORT_MESSAGE = 16_384;

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
  const whole = asBuffer(requireBytes(message, "message"));
  // A short message is copied at once, and its header lies in the copy; a long one only when it is not refused.
  const short = whole.length <= SHORT_MESSAGE;
  const given = short ? Buffer.from(whole) : whole;
  const resolved = resolveDecryptOptions(options);
  const { limits, signal, workers } = resolved;
  const expected = resolved.context ?? undefined;
  const parsed = parseHeader(given, limits, expected);
  const header = short ? parsed : parseHeader(Buffer.from(parsed.bytes), limits, expected);
  requireReadable(header.suite, resolved);
  const context = matchContext(header.context, resolved.context, resolved.requiredContextKeys);
  const layout = readBodyLayout(given, header, limits);
  const signature = readEnd(given, header, layout);
  requireNotAborted(signal);

  // Before the first await: from then on the caller's memory may change.
  const taken = short ? given : copyOfBytes(given);
  try {
    const { opener, openedBy } = await openHeader(header, context, resolved);
    const plaintext =
      layout.last.sequence > 1 && workers?.takes(layout.plaintextLength, header.frameLength) === true
        ? await openInParallel(taken, header, layout, opener, { workers, signal })
        : openHere(taken, header, layout, opener);
    if (signature !== null) verifySignature(taken.subarray(0, layout.last.end), header, signature, plaintext);
    return { ...openedMessage(header, context, openedBy), plaintext };
  } finally {
    if (!short) wipeCopy(taken);
  }
}

/** @throws EnvelopeError `commitment-policy`, `signature-required` */
export function requireReadable(
  suite: AlgorithmSuite,
  { commitmentPolicy, signatureRequired }: Pick<ResolvedDecryptOptions, "commitmentPolicy" | "signatureRequired">,
): void {
  requireDecryptAllowed(commitmentPolicy, suite);
  if (signatureRequired && suite.signature === null)
    throw new EnvelopeError("signature-required", `The message is not signed (${suite.name})`);
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

export interface OpenedHeader {
  readonly opener: MessageOpener;
  readonly openedBy: OpeningKey | null;
}

/** Gets the data key and verifies the header under it, candidate by candidate, inside the keyring's own attempts. */
export async function openHeader(
  header: MessageHeader,
  context: MatchedContext,
  options: ResolvedOptions,
): Promise<OpenedHeader> {
  const known = options.manager.headers?.recall(header, context.authenticatedOnly);
  if (known !== undefined)
    return { opener: MessageOpener.resume(header, known.cipherKey), openedBy: known.openedBy ?? null };
  let opener: MessageOpener | null = null;
  const materials = await options.manager.decryptMaterials(
    {
      suite: header.suite,
      commitmentPolicy: options.commitmentPolicy,
      encryptionContext: context.full,
      requiredContextKeys: context.requiredKeys,
      encryptedDataKeys: header.encryptedDataKeys,
      accepts(candidate) {
        opener = MessageOpener.open(header, context.authenticatedOnly, candidate);
        return opener !== null;
      },
    },
    { signal: options.signal },
  );
  try {
    // A manager that did not ask (a cache, a keyring of someone else's) is asked for here: nothing goes unverified.
    const opened =
      (opener as MessageOpener | null) ??
      MessageOpener.open(header, context.authenticatedOnly, sharedBytes(materials.dataKey));
    if (opened === null) throw new EnvelopeError("decryption-failed", "The message does not authenticate");
    materials.remember?.(header, context.authenticatedOnly, opened.frameKey.key);
    return { opener: opened, openedBy: materials.openedBy ?? null };
  } finally {
    materials.dataKey.wipe();
  }
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

/** Verifies a signed message with the key that its header carries; null for an unsigned one. */
export function headerVerifier({ suite, context }: MessageHeader): MessageVerifier | null {
  if (suite.signature === null) return null;
  const publicKey = context.pairs.find(([key]) => key === PUBLIC_KEY_FIELD)?.[1];
  return messageVerifier(suite.signature, publicKey ?? "");
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

export interface MatchedContext {
  /** Stored and required entries together: what keyrings authenticate. */
  readonly full: CanonicalContext;
  /** Serialized entries that the header does not store. */
  readonly authenticatedOnly: Buffer;
  /** Keys of those entries. */
  readonly requiredKeys: readonly string[];
}

const NOTHING = Buffer.alloc(0);

/**
 * Holds a message's context against the one the caller expects, before any key is asked for. Threat answered: a genuine
 * message put in another's place. The format only authenticates the context; comparing it is the reader's part.
 *
 * @param stored the message's context; @param expected the caller's, null for whatever is stored; @param requiredKeys
 *   keys of the caller's context that the message need not store (framework/required-encryption-context-cmm.md).
 * @throws EnvelopeError `context-mismatch` with the keys that differ, never their values.
 */
export function matchContext(
  stored: CanonicalContext,
  expected: CanonicalContext | null,
  requiredKeys: readonly string[],
): MatchedContext {
  if (
    expected === null ||
    (requiredKeys.length === 0 && (stored === expected || stored.bytes.equals(expected.bytes)))
  ) {
    return { full: stored, authenticatedOnly: NOTHING, requiredKeys };
  }
  const found = new Map(stored.pairs);
  const notStored = new Set(requiredKeys.filter((key) => !found.has(key)));
  const own = stored.pairs.filter(([key]) => key !== PUBLIC_KEY_FIELD);
  const wanted = expected.pairs.filter(([key]) => !notStored.has(key));
  const differing = differingKeys(canonicalPairs(wanted, FORMAT_LIMITS), canonicalPairs(own, FORMAT_LIMITS));
  if (differing.length > 0) {
    const names = shownList(differing.map((key) => `"${shown(key)}"`));
    throw new EnvelopeError(
      "context-mismatch",
      `The message was made for another encryption context; keys that differ: ${names}`,
      {
        contextKeys: differing,
      },
    );
  }
  const required = expected.pairs.filter(([key]) => notStored.has(key));
  return {
    full: required.length === 0 ? stored : canonicalPairs([...stored.pairs, ...required], FORMAT_LIMITS),
    authenticatedOnly: canonicalPairs(required, FORMAT_LIMITS).bytes,
    requiredKeys: [...notStored],
  };
}
