/**
 * Where a header ends, without parsing it. A stream gets a header in chunks of any size: it goes on from where it
 * stood, so that a header that comes byte by byte takes time by its length, not by the square of it.
 */
import { ByteReader } from "./byte-reader.ts";
import { readSuite, requireKeyCount } from "./header.ts";
import { COMMIT_KEY_LENGTH, enforceLimit, IV_LENGTH, MESSAGE_ID_LENGTH, TAG_LENGTH } from "./suites.ts";
import type { MessageLimits } from "./suites.ts";

/** Message version -> bytes up to the message id. Of any other first byte two are enough to refuse it. */
const SUITE_END: Readonly<Record<number, number>> = { 1: 1 + 1 + 2, 2: 1 + 2 };
/** Message version -> bytes after the encrypted data keys: content type to frame length, then commitment or IV. */
const AFTER_KEYS = { 1: 1 + 4 + 1 + 4 + IV_LENGTH + TAG_LENGTH, 2: 1 + 4 + COMMIT_KEY_LENGTH + TAG_LENGTH } as const;
/** Provider id, provider information, ciphertext: each a length of two bytes, and as many bytes. */
const FIELDS_PER_KEY = 3;

/**
 * Walks over the lengths in a header. Yields how many bytes of the message it needs, is given at least these from the
 * message's start, and returns the header's length when all of it is there.
 *
 * @throws EnvelopeError `message-malformed`, `suite-unsupported`, `limit-exceeded`, as soon as the bytes show it
 */
export function* walkHeader(limits: MessageLimits): Generator<number, number, Buffer> {
  let bytes = yield 1;
  const start = SUITE_END[bytes.readUInt8(0)] ?? 2;
  bytes = yield start;
  const { messageVersion } = readSuite(new ByteReader(bytes));

  let offset = start + MESSAGE_ID_LENGTH[messageVersion];
  bytes = yield offset + 2;
  const contextLength = bytes.readUInt16BE(offset);
  enforceLimit(limits, "contextBytes", contextLength);
  offset += 2 + contextLength;

  bytes = yield offset + 2;
  const keys = bytes.readUInt16BE(offset);
  requireKeyCount(keys, limits);
  offset += 2;
  for (let field = 0; field < keys * FIELDS_PER_KEY; field++) {
    bytes = yield offset + 2;
    offset += 2 + bytes.readUInt16BE(offset);
  }
  yield offset + AFTER_KEYS[messageVersion];
  return offset + AFTER_KEYS[messageVersion];
}
