/**
 * Encrypted data keys as the header stores them (data-format/message-header.md, "Encrypted Data Keys").
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import { ByteReader } from "./byte-reader.ts";
import { enforceLimit } from "./limits.ts";
import type { MessageLimits } from "./limits.ts";

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
  last = { bytes, keys: readKeys(new ByteReader(bytes), limits) };
  return last.keys;
}

function readKeys(reader: ByteReader, limits: MessageLimits): readonly EncryptedDataKey[] {
  const count = reader.uint16();
  if (count === 0) throw new EnvelopeError("message-malformed", "The message has no encrypted data key");
  enforceLimit(limits, "encryptedDataKeys", count);
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
