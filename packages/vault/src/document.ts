/**
 * JSON documents to bytes and back (RFC 8259). What can not come back as it went in is refused, not changed in silence:
 * `undefined`, NaN, dates, cycles, and numbers that a double can not hold.
 *
 * No message here quotes the document or names a key of it, and the engine's own SyntaxError is not kept as a cause:
 * its message carries a piece of the input.
 */
import { VaultError } from "./errors.ts";
import { hasInexactNumber } from "./exact-numbers.ts";
import type { VaultLimits } from "./limits.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export type DocumentLimits = Pick<VaultLimits, "documentBytes" | "documentDepth">;

/**
 * Parses a document as it came over a wire. Own keys only: `__proto__` is a key like any other and sets no prototype.
 *
 * @throws VaultError `document-too-large`; `document-invalid` when it is not UTF-8, not JSON, not one object, too deep,
 *   or holds a number that would come back changed.
 */
export function parseDocument(bytes: Uint8Array, limits: DocumentLimits): JsonObject {
  requireSize(bytes.length, limits);
  const document = parseJson(bytes);
  requireDocument(document, limits);
  return document;
}

/**
 * Parses any JSON text of UTF-8 as strictly as a document's. For bodies that hold documents inside.
 *
 * @throws VaultError `document-invalid`
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new VaultError("document-invalid", `The body is not valid JSON${position(error)}`);
  }
  if (hasInexactNumber(text)) {
    throw new VaultError(
      "document-invalid",
      "The document has a number that would come back changed (more digits or a larger exponent than a double " +
        "holds); send it as a string",
    );
  }
  return value;
}

/**
 * A document's bytes: compact JSON in UTF-8, in memory of its own that the caller wipes.
 *
 * @throws VaultError `document-invalid`, `document-too-large`
 */
export function encodeDocument(document: JsonObject, limits: DocumentLimits): Buffer {
  requireDocument(document, limits);
  const text = JSON.stringify(document);
  const length = Buffer.byteLength(text, "utf8");
  requireSize(length, limits);
  // Not from Node's shared pool, so that wiping it wipes all there is.
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.write(text, "utf8");
  return bytes;
}

/**
 * The document of a message's plaintext, after it has authenticated.
 *
 * @throws VaultError `stored-document-invalid` when it was encrypted for this record by something else than a vault
 */
export function decodeDocument(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    value = undefined;
  }
  if (!isPlainObject(value))
    throw new VaultError("stored-document-invalid", "The stored document is authentic, but it is not a JSON object");
  return value as JsonObject;
}

function requireSize(length: number, limits: DocumentLimits): void {
  if (length > limits.documentBytes) {
    throw new VaultError(
      "document-too-large",
      `The document has ${length} bytes; at most ${limits.documentBytes} are allowed`,
    );
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new VaultError("document-invalid", "The body is not UTF-8");
  }
}

/** Where the engine stopped, without the piece of input that its message quotes. */
function position(error: unknown): string {
  const found = error instanceof Error ? /at position (\d+)/.exec(error.message) : null;
  return found === null ? "" : ` near character ${found[1] ?? ""}`;
}

function requireDocument(value: unknown, limits: DocumentLimits): asserts value is JsonObject {
  if (!isPlainObject(value)) throw new VaultError("document-invalid", "A document must be one JSON object");
  requireJson(value, limits.documentDepth, limits.documentDepth);
}

const REFUSED_TYPES: Readonly<Record<string, string>> = {
  undefined: "undefined, which JSON does not have; leave the key out or use null",
  function: "a function",
  symbol: "a symbol",
  bigint: "a BigInt; send it as a string",
};

function requireJson(value: unknown, levelsLeft: number, documentDepth: number): void {
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      throw new VaultError(
        "document-invalid",
        "The document holds NaN or an infinite number, which JSON does not have",
      );
    return;
  }
  const refused = REFUSED_TYPES[typeof value];
  if (refused !== undefined) throw new VaultError("document-invalid", `The document holds ${refused}`);
  if (typeof value !== "object" || value === null) return;
  if (levelsLeft === 0) {
    throw new VaultError(
      "document-invalid",
      `The document is nested deeper than ${documentDepth} levels, or contains itself`,
    );
  }
  if (Array.isArray(value)) {
    // Iteration also visits holes, as undefined.
    for (const element of value) requireJson(element, levelsLeft - 1, documentDepth);
    return;
  }
  if (!isPlainObject(value)) {
    throw new VaultError(
      "document-invalid",
      "The document holds an object of a class (a Date, a Map, a Buffer); convert it to JSON first",
    );
  }
  for (const key of Object.keys(value)) requireJson(value[key], levelsLeft - 1, documentDepth);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
