/**
 * The message header, versions 1 and 2, with its encrypted data keys: bytes to structure and back
 * (data-format/message-header.md).
 */
import { EnvelopeError } from "../errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { readContext } from "./encryption-context.ts";
import type { CanonicalContext } from "./encryption-context.ts";
import { COMMIT_KEY_LENGTH, enforceLimit, IV_LENGTH, MESSAGE_ID_LENGTH, suiteById, TAG_LENGTH } from "./suites.ts";
import type { AlgorithmSuite, MessageLimits } from "./suites.ts";

export type ContentType = "framed" | "unframed";

export interface MessageHeader {
  readonly suite: AlgorithmSuite;
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Buffer;
  /** The context as stored; entries that are only authenticated are not in it. */
  readonly context: CanonicalContext;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly contentType: ContentType;
  /** Bytes of content in each regular frame; 0 when unframed. */
  readonly frameLength: number;
  /** 32 bytes for committing suites, else null. */
  readonly commitKey: Buffer | null;
  /** Everything before the header authentication: what the tag protects. */
  readonly body: Buffer;
  readonly iv: Buffer;
  readonly tag: Buffer;
  /** The whole header, authentication included. */
  readonly bytes: Buffer;
  /** Bytes from the start of the message to the start of its body. */
  readonly length: number;
}

const TYPE_CUSTOMER_AAD = 0x80;
const CONTENT_TYPES: ReadonlyMap<number, ContentType> = new Map([
  [1, "unframed"],
  [2, "framed"],
]);
const FRAMED = 2;
const ZERO_IV: Buffer = Buffer.alloc(IV_LENGTH);

/**
 * First bytes of a message in base64, by far the most common mistake (client-apis/decrypt.md, "Encrypted Message
 * Format").
 */
const BASE64_STARTS: ReadonlySet<string> = new Set(["AY", "Ag"]);

/**
 * Parses a header from the start of `message`, which may be longer than it. Views into `message`, no copies.
 *
 * @param expected the context that the reader wants, if any; the header's own is compared by who asks for it.
 * @throws EnvelopeError `message-truncated` (with `neededBytes`), `message-malformed`, `suite-unsupported`,
 *   `limit-exceeded`.
 */
export function parseHeader(message: Uint8Array, limits: MessageLimits, expected?: CanonicalContext): MessageHeader {
  const reader = new ByteReader(message);
  const suite = readSuite(reader);
  const messageId = reader.bytes(MESSAGE_ID_LENGTH[suite.messageVersion]);
  const context = readContext(reader, limits, expected);
  const encryptedDataKeys = readEncryptedDataKeys(reader, limits);
  const contentType = readContentType(reader);
  if (suite.messageVersion === 1) readReservedAndIvLength(reader);
  const frameLength = reader.uint32();
  if (contentType === "unframed" ? frameLength !== 0 : frameLength === 0) {
    throw new EnvelopeError(
      "message-malformed",
      `A frame length of ${frameLength} cannot be in a message that is ${contentType}`,
    );
  }
  enforceLimit(limits, "frameBytes", frameLength);
  const commitKey = suite.committing ? reader.bytes(COMMIT_KEY_LENGTH) : null;
  const bodyEnd = reader.offset;
  const iv = suite.messageVersion === 1 ? reader.bytes(IV_LENGTH) : ZERO_IV;
  const tag = reader.bytes(TAG_LENGTH);
  const length = reader.offset;
  const bytes = new ByteReader(message).bytes(length);
  const body = bytes.subarray(0, bodyEnd);
  return {
    suite,
    messageId,
    context,
    encryptedDataKeys,
    contentType,
    frameLength,
    commitKey,
    body,
    iv,
    tag,
    bytes,
    length,
  };
}

/** @throws EnvelopeError `message-truncated`, `message-malformed`, `suite-unsupported` */
export function readSuite(reader: ByteReader): AlgorithmSuite {
  const version = reader.uint8();
  if (version !== 1 && version !== 2) {
    const second = reader.uint8();
    const hint = BASE64_STARTS.has(String.fromCharCode(version, second))
      ? "; it looks like base64: decode it to bytes first"
      : "";
    throw new EnvelopeError(
      "message-malformed",
      `Not an AWS Encryption SDK message: it begins with byte ${version}${hint}`,
    );
  }
  if (version === 1 && reader.uint8() !== TYPE_CUSTOMER_AAD) {
    throw new EnvelopeError("message-malformed", "The message type is not 'customer authenticated encrypted data'");
  }
  const id = reader.uint16();
  const suite = suiteById(id);
  if (suite?.messageVersion !== version) {
    const hex = `0x${id.toString(16).padStart(4, "0")}`;
    throw new EnvelopeError(
      "suite-unsupported",
      `Algorithm suite ${hex} is not defined for message version ${version}`,
    );
  }
  return suite;
}

function readContentType(reader: ByteReader): ContentType {
  const value = reader.uint8();
  const contentType = CONTENT_TYPES.get(value);
  if (contentType === undefined) throw new EnvelopeError("message-malformed", `Content type ${value} is not defined`);
  return contentType;
}

function readReservedAndIvLength(reader: ByteReader): void {
  if (reader.uint32() !== 0)
    throw new EnvelopeError("message-malformed", "The reserved bytes of the header are not zero");
  if (reader.uint8() !== IV_LENGTH)
    throw new EnvelopeError("message-malformed", `The header's IV length is not ${IV_LENGTH}`);
}

/**
 * A serialized header of a framed message with two holes, message id and commitment. Messages that share context,
 * encrypted data keys and frame length share it, which is most of the work of writing a header.
 */
export interface HeaderTemplate {
  readonly suite: AlgorithmSuite;
  readonly frameLength: number;
  readonly bytes: Buffer;
  /** Bytes of the whole header, authentication included. */
  readonly headerLength: number;
}

/** Serializes everything of a header that does not change from message to message. */
export function headerTemplate(
  suite: AlgorithmSuite,
  stored: CanonicalContext,
  encryptedDataKeys: readonly EncryptedDataKey[],
  frameLength: number,
  limits: MessageLimits,
): HeaderTemplate {
  const version = suite.messageVersion;
  const fixed = version === 1 ? 2 + 2 : 1 + 2;
  const afterKeys = version === 1 ? 1 + 4 + 1 + 4 : 1 + 4 + COMMIT_KEY_LENGTH;
  const keysLength = encryptedDataKeysLength(encryptedDataKeys, limits);
  const bytes = Buffer.alloc(fixed + MESSAGE_ID_LENGTH[version] + 2 + stored.bytes.length + keysLength + afterKeys);

  let offset = bytes.writeUInt8(version, 0);
  if (version === 1) offset = bytes.writeUInt8(TYPE_CUSTOMER_AAD, offset);
  offset = bytes.writeUInt16BE(suite.id, offset) + MESSAGE_ID_LENGTH[version];
  offset = bytes.writeUInt16BE(stored.bytes.length, offset);
  offset += stored.bytes.copy(bytes, offset);
  offset = writeEncryptedDataKeys(bytes, offset, encryptedDataKeys);
  offset = bytes.writeUInt8(FRAMED, offset);
  if (version === 1) offset = bytes.writeUInt8(IV_LENGTH, offset + 4);
  bytes.writeUInt32BE(frameLength, offset);
  const authentication = version === 1 ? IV_LENGTH + TAG_LENGTH : TAG_LENGTH;
  return { suite, frameLength, bytes, headerLength: bytes.length + authentication };
}

/** Where the message id stands in a header. */
export function messageIdOffset(suite: AlgorithmSuite): number {
  return suite.messageVersion === 1 ? 4 : 3;
}

/** One wrap of a message's data key (framework/structures.md, "Encrypted Data Key"). */
export interface EncryptedDataKey {
  /** Which kind of keyring wrote it, such as `aws-kms`. */
  readonly providerId: string;
  /** What that keyring needs to find its key; for AWS KMS the key ARN. */
  readonly providerInfo: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const MAX_FIELD = 0xffff;

/** Bytes that `writeEncryptedDataKeys` will write. Refuses what the format cannot express. */
export function encryptedDataKeysLength(keys: readonly EncryptedDataKey[], limits: MessageLimits): number {
  if (keys.length === 0) throw new EnvelopeError("wrap-failed", "No keyring wrapped the data key");
  enforceLimit(limits, "encryptedDataKeys", keys.length);
  let length = 2;
  for (const key of keys) {
    const providerLength = Buffer.byteLength(key.providerId, "utf8");
    if (Math.max(providerLength, key.providerInfo.length, key.ciphertext.length) > MAX_FIELD) {
      throw new EnvelopeError("limit-exceeded", `An encrypted data key has a field longer than ${MAX_FIELD} bytes`);
    }
    length += 6 + providerLength + key.providerInfo.length + key.ciphertext.length;
  }
  return length;
}

/** Writes count and entries at `offset`; returns the offset after them. */
export function writeEncryptedDataKeys(target: Buffer, start: number, keys: readonly EncryptedDataKey[]): number {
  let offset = target.writeUInt16BE(keys.length, start);
  for (const key of keys) {
    const written = target.write(key.providerId, offset + 2, "utf8");
    target.writeUInt16BE(written, offset);
    offset += 2 + written;
    for (const field of [key.providerInfo, key.ciphertext]) {
      offset = target.writeUInt16BE(field.length, offset);
      target.set(field, offset);
      offset += field.length;
    }
  }
  return offset;
}

/** Longest serialization that is remembered. */
const MOST_REMEMBERED = 4_096;
/** What was read last, in memory of its own: messages under one data key carry the same keys to the byte. */
let last: { readonly bytes: Buffer; readonly keys: readonly EncryptedDataKey[] } | null = null;

/**
 * Reads count and entries. The count is held against the limit before a single entry is read. Messages read one after
 * the other that have equal keys get the same array.
 */
export function readEncryptedDataKeys(reader: ByteReader, limits: MessageLimits): readonly EncryptedDataKey[] {
  if (last !== null && reader.skip(last.bytes)) {
    enforceLimit(limits, "encryptedDataKeys", last.keys.length);
    return last.keys;
  }
  const start = reader.offset;
  const keys = readKeys(reader, limits);
  const length = reader.offset - start;
  if (length > MOST_REMEMBERED) return keys;
  const bytes = Buffer.from(reader.since(start));
  last = { bytes, keys: frozenKeys(readKeys(new ByteReader(bytes), limits)) };
  return last.keys;
}

/** What is remembered is handed to keyrings too. Bytes that one of them changed are no longer equal to a message's. */
function frozenKeys(keys: readonly EncryptedDataKey[]): readonly EncryptedDataKey[] {
  for (const key of keys) Object.freeze(key);
  return Object.freeze(keys);
}

/** @throws EnvelopeError `message-malformed` for none, `limit-exceeded` */
export function requireKeyCount(count: number, limits: MessageLimits): void {
  if (count === 0) throw new EnvelopeError("message-malformed", "The message has no encrypted data key");
  enforceLimit(limits, "encryptedDataKeys", count);
}

function readKeys(reader: ByteReader, limits: MessageLimits): readonly EncryptedDataKey[] {
  const count = reader.uint16();
  requireKeyCount(count, limits);
  const keys: EncryptedDataKey[] = [];
  for (let index = 0; index < count; index++) {
    keys.push({
      providerId: reader.utf8(reader.uint16(), "key provider id"),
      providerInfo: reader.bytes(reader.uint16()),
      ciphertext: reader.bytes(reader.uint16()),
    });
  }
  return keys;
}
