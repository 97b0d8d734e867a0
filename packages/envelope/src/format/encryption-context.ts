/**
 * The encryption context: key/value pairs bound to a message as additional authenticated data
 * (framework/structures.md, "Encryption Context" and its "Serialization").
 *
 * Inside the library a context is always canonical: checked once, sorted by UTF-8 bytes, with its serialization.
 */
import { EnvelopeError, shown } from "../errors.ts";
import { guarded, isPlainObject } from "../options.ts";
import { ByteReader } from "./byte-reader.ts";
import { enforceLimit } from "./suites.ts";
import type { MessageLimits } from "./suites.ts";

/** Non-secret pairs. They are stored in the message in clear, and a KMS logs them: no personal data in them. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** A checked context: `pairs` in the order of the keys' UTF-8 bytes, `bytes` its serialization (empty for no pairs). */
export interface CanonicalContext {
  readonly pairs: readonly (readonly [key: string, value: string])[];
  readonly bytes: Buffer;
  /**
   * The serialization as a message stores it, when its keys stand in another order. The AWS Encryption SDK for
   * JavaScript orders by locale unless told otherwise, and its raw keyrings authenticate those bytes.
   */
  readonly otherOrder?: Buffer;
  /** Of a context that a caller gave: a frozen copy of it, in the caller's order. */
  readonly given?: EncryptionContext;
}

/** A caller's context: checked, and as it was when it was checked. */
export type CallersContext = CanonicalContext & { readonly given: EncryptionContext };

/** Keys that begin so belong to the message format (client-apis/encrypt.md, "Encryption Context"). */
export const RESERVED_PREFIX = "aws-crypto-";
/** Where a signed message carries the public half of its signing key (framework/default-cmm.md). */
export const PUBLIC_KEY_FIELD = "aws-crypto-public-key";

export const EMPTY_CONTEXT: CanonicalContext = Object.freeze({ pairs: Object.freeze([]), bytes: Buffer.alloc(0) });

const MAX_FIELD = 0xffff;

/**
 * Checks a caller's context and makes it canonical. It must be a plain object of any realm, and all that it holds must
 * be its own, enumerable, and strings: whatever else would be left out in silence, and the message be bound to less
 * than was meant. Each entry is read once.
 *
 * @throws EnvelopeError `option-invalid` for anything else, for text that is not well-formed, for a reserved key;
 *   `limit-exceeded` when the serialization is longer than `limits.contextBytes`.
 */
export function canonicalContext(context: unknown, limits: MessageLimits): CallersContext {
  const fields = guarded(() => fieldsOf(context));
  if (last !== null && isSame(fields, last.fields) && last.canonical.bytes.length <= limits.contextBytes)
    return last.canonical;
  const entries = checkedEntries(fields);
  const { pairs, bytes } = canonicalPairs(entries, limits);
  // What is remembered is handed to keyrings too, and to callers.
  for (const pair of pairs) Object.freeze(pair);
  const given = Object.freeze(Object.fromEntries(entries));
  const canonical = Object.freeze({ pairs: Object.freeze(pairs), bytes, given });
  last = { fields, canonical };
  return canonical;
}

/** A context as it was read, in the caller's order. */
interface Fields {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

function fieldsOf(context: unknown): Fields {
  if (!isPlainObject(context))
    throw new EnvelopeError("option-invalid", "encryptionContext must be a plain object of strings (use {} for none)");
  const keys = Object.keys(context);
  if (Object.getOwnPropertyNames(context).length !== keys.length || Object.getOwnPropertySymbols(context).length > 0)
    throw new EnvelopeError("option-invalid", "encryptionContext has a key that is a symbol or not enumerable");
  return { keys, values: keys.map((key) => context[key]) };
}

/**
 * The context that was checked last. Who reuses data keys brings the same one again and again, if not the same object.
 */
let last: { readonly fields: Fields; readonly canonical: CallersContext } | null = null;

function isSame({ keys, values }: Fields, known: Fields): boolean {
  return (
    keys.length === known.keys.length &&
    keys.every((key, index) => key === known.keys[index] && values[index] === known.values[index])
  );
}

function checkedEntries({ keys, values }: Fields): CanonicalContext["pairs"] {
  return keys.map((key, index) => {
    const value = values[index];
    const problem = entryProblem(key, value);
    if (problem !== null) throw new EnvelopeError("option-invalid", `encryptionContext["${shown(key)}"] ${problem}`);
    return [key, value as string];
  });
}

function entryProblem(key: string, value: unknown): string | null {
  if (typeof value !== "string") return "must be a string";
  // A lone surrogate has no UTF-8 form: it would be replaced in silence, and two contexts become one.
  if (!key.isWellFormed() || !value.isWellFormed()) return "is not well-formed Unicode";
  return key.startsWith(RESERVED_PREFIX) ? `begins with ${RESERVED_PREFIX}, which is reserved` : null;
}

/** Sorts and serializes pairs that are already known to be strings. */
export function canonicalPairs(
  unordered: readonly (readonly [string, string])[],
  limits: MessageLimits,
): CanonicalContext {
  if (unordered.length === 0) return EMPTY_CONTEXT;
  const pairs = isOrdered(unordered) ? unordered : [...unordered].sort(([a], [b]) => compareUtf8(a, b));
  let length = 2;
  for (const [key, value] of pairs) length += 4 + fieldLength(key) + fieldLength(value);
  enforceLimit(limits, "contextBytes", length);
  const bytes = Buffer.allocUnsafe(length);
  let offset = bytes.writeUInt16BE(pairs.length, 0);
  for (const [key, value] of pairs) offset = writeField(bytes, writeField(bytes, offset, key), value);
  return { pairs, bytes };
}

function fieldLength(text: string): number {
  const length = Buffer.byteLength(text, "utf8");
  if (length > MAX_FIELD)
    throw new EnvelopeError("limit-exceeded", `contextBytes: one key or value is longer than ${MAX_FIELD} bytes`);
  return length;
}

function writeField(target: Buffer, offset: number, text: string): number {
  const length = target.write(text, offset + 2, "utf8");
  target.writeUInt16BE(length, offset);
  return offset + 2 + length;
}

function isOrdered(pairs: readonly (readonly [string, string])[]): boolean {
  return pairs.every(([key], index) => index === 0 || compareUtf8(pairs[index - 1]?.[0] ?? "", key) < 0);
}

/**
 * Orders strings as their UTF-8 bytes are ordered, without encoding them. UTF-16 units are already in that order but
 * for surrogates, which stand for characters above U+FFFF and so come after U+E000 to U+FFFF.
 */
function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/**
 * Reads the header's AAD field: its length, then the pairs. Duplicate keys are malformed. Another order than by UTF-8
 * bytes is read, because SDKs have written it, and made canonical.
 *
 * @param expected what the reader wants the message to be for: bytes that equal its own need no parsing.
 */
export function readContext(
  reader: ByteReader,
  limits: MessageLimits,
  expected: CanonicalContext = EMPTY_CONTEXT,
): CanonicalContext {
  const length = reader.uint16();
  if (length === 0) return EMPTY_CONTEXT;
  enforceLimit(limits, "contextBytes", length);
  const bytes = reader.bytes(length);
  if (bytes.equals(expected.bytes)) return expected;
  const { pairs, ordered } = readPairs(new ByteReader(bytes), length);
  if (ordered) return { pairs, bytes };
  return { ...canonicalPairs(pairs, limits), otherOrder: bytes };
}

function readPairs(
  fields: ByteReader,
  length: number,
): { readonly pairs: CanonicalContext["pairs"]; readonly ordered: boolean } {
  const pairs = new Map<string, string>();
  let previous: Buffer | null = null;
  let ordered = true;
  try {
    const count = fields.uint16();
    for (let index = 0; index < count; index++) {
      const raw = fields.bytes(fields.uint16());
      ordered &&= previous === null || Buffer.compare(previous, raw) < 0;
      previous = raw;
      const key = new ByteReader(raw).utf8(raw.length, "encryption context key");
      if (pairs.has(key)) throw new EnvelopeError("message-malformed", "The encryption context has a key twice");
      pairs.set(key, fields.utf8(fields.uint16(), "encryption context value"));
    }
  } catch (error) {
    // Running out of bytes *inside* the field is not a short message: waiting for more would not help.
    if (error instanceof EnvelopeError && error.code === "message-truncated") {
      throw new EnvelopeError("message-malformed", "The encryption context is longer than its length field says");
    }
    throw error;
  }
  if (pairs.size === 0 || fields.offset !== length) {
    throw new EnvelopeError("message-malformed", "The encryption context is shorter than its length field says");
  }
  return { pairs: [...pairs], ordered };
}

/** As a plain object. Own properties only: `__proto__` is a key like any other. */
export function contextObject(context: CanonicalContext): EncryptionContext {
  return Object.fromEntries(context.pairs);
}

/** What a message's writer put into the context: without the key that the message is signed with. Frozen. */
export function callersContext({ given, pairs }: CanonicalContext): EncryptionContext {
  return given ?? Object.freeze(Object.fromEntries(pairs.filter(([key]) => key !== PUBLIC_KEY_FIELD)));
}

/** Keys whose presence or value differs, in the order of first sight; empty when both are equal. */
export function differingKeys(expected: CanonicalContext, found: CanonicalContext): readonly string[] {
  if (expected.bytes.equals(found.bytes)) return [];
  const wanted = new Map(expected.pairs);
  const had = new Map(found.pairs);
  return [...new Set([...wanted.keys(), ...had.keys()])].filter((key) => wanted.get(key) !== had.get(key));
}

/**
 * The orders in which writers have serialized a context that a keyring authenticates. The specification has one, by
 * UTF-8 bytes; the AWS Encryption SDK for JavaScript orders by locale in its raw AES and hierarchical keyrings unless
 * it is told otherwise (`utf8Sorting`). The order of the specification comes first; the others only as far as they
 * differ, and they are only made when they are asked for.
 */
export function* contextOrders({ bytes, pairs, otherOrder }: CanonicalContext): Generator<Buffer, void, undefined> {
  yield bytes;
  if (otherOrder !== undefined) yield otherOrder;
  if (pairs.length < 2) return;
  const byLocale = serialize([...pairs].sort(([a], [b]) => a.localeCompare(b)));
  if (!byLocale.equals(bytes) && otherOrder?.equals(byLocale) !== true) yield byLocale;
}

function serialize(pairs: CanonicalContext["pairs"]): Buffer {
  const fields = pairs.flat().map((text) => Buffer.from(text, "utf8"));
  return Buffer.concat([uint16(pairs.length), ...fields.flatMap((field) => [uint16(field.length), field])]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
