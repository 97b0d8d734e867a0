/**
 * The orders in which writers have serialized an encryption context that a keyring authenticates. The specification has
 * one, by UTF-8 bytes (framework/structures.md, "Serialization"). The AWS Encryption SDK for JavaScript orders by
 * locale in its raw AES and hierarchical keyrings unless it is told otherwise (`utf8Sorting`).
 */
import type { CanonicalContext } from "../format/encryption-context.ts";

/**
 * The order of the specification first; the others only as far as they differ, and only made when they are asked for.
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
