/**
 * JSON documents to bytes and back (RFC 8259). What cannot come back as it went in is refused, not changed in silence:
 * `undefined`, NaN, dates, cycles, and numbers that a double cannot hold.
 *
 * No message here quotes the document or names a key of it, and the engine's own SyntaxError is not kept as a cause:
 * its message carries a piece of the input.
 */
import { jsonFault } from "@strongroom/base/json";
import type { DocumentSchema } from "../collections/schema.ts";
import { VaultError } from "../errors.ts";
import type { VaultLimits } from "../limits.ts";
import type { JsonObject, JsonValue } from "./json.ts";

export type { JsonObject, JsonValue } from "./json.ts";

/** The limits that a document is held to. */
export type DocumentLimits = Pick<VaultLimits, "documentBytes" | "documentDepth">;

/**
 * Parses a document as it came over a wire. Own keys only: `__proto__` is a key like any other and sets no prototype.
 *
 * @throws VaultError `document-too-large`; `document-invalid` when it is not UTF-8, not JSON, not one object, too deep,
 *   has a key twice, or holds a number that would come back changed.
 * @example
 * ```ts
 * import { DEFAULT_VAULT_LIMITS, parseDocument } from "@strongroom/vault";
 *
 * const bytes = new TextEncoder().encode('{"name":"Ada Lovelace"}');
 * console.log(parseDocument(bytes, DEFAULT_VAULT_LIMITS)["name"]); // prints: Ada Lovelace
 * ```
 */
export function parseDocument(bytes: Uint8Array, limits: DocumentLimits): JsonObject {
  requireSize(bytes.length, limits);
  const document = parseJson(bytes);
  const fault = jsonFault(bytes);
  if (fault !== null)
    throw new VaultError("document-invalid", `An object has a key twice, the second time near byte ${fault.offset}`);
  requireDocument(document, limits);
  return document;
}

/**
 * Parses any JSON text of UTF-8 as strictly as a document's. For bodies that hold documents inside.
 *
 * @throws VaultError `document-invalid`
 * @example
 * ```ts
 * import { parseJson } from "@strongroom/vault";
 *
 * console.log(parseJson(new TextEncoder().encode("[1, 2.5]"))); // prints: [ 1, 2.5 ]
 * ```
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

/** Whether a value is an object, and no list. */
export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A copy, which whoever gave it no longer changes. @throws VaultError `document-invalid`, `document-too-large` */
export function copyOfDocument(given: JsonObject, limits: DocumentLimits): JsonObject {
  const bytes = encodeDocument(given, limits, null);
  try {
    return decodeDocument(bytes);
  } finally {
    bytes.fill(0);
  }
}

/**
 * A document's bytes: compact JSON in UTF-8, in memory of its own that the caller wipes.
 *
 * @param schema what it must be like; null: anything
 * @throws VaultError `document-invalid`, `document-unfit`, `document-too-large`
 */
export function encodeDocument(document: JsonObject, limits: DocumentLimits, schema: DocumentSchema | null): Buffer {
  requireDocument(document, limits);
  const stored = schema === null ? document : schema.fit(document);
  if (stored !== document) requireDocument(stored, limits);
  const text = JSON.stringify(stored);
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

/*
 * Numbers that a double changes: 12345678901234567890 would be stored as 12345678901234567000, 1e999 as null. RFC 8259
 * section 6 leaves precision to the implementation; a store that gives back something else than it was given must say
 * so first.
 */

/**
 * Up to 15 significant digits and no exponent always survive (IEEE 754 binary64): text without a match needs no second
 * look.
 */
const SUSPECT = /\d[\d.]{15}|\d[eE]/;
/** No double needs so long a literal; what is longer is refused unread, so that no text makes the comparison slow. */
const LONGEST_LITERAL = 400;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** True when some number of this valid JSON text has another decimal value after parsing and printing. */
function hasInexactNumber(text: string): boolean {
  if (!SUSPECT.test(text)) return false;
  for (const literal of numberLiterals(text)) {
    if (literal.length > LONGEST_LITERAL || decimal(literal) !== decimal(String(Number(literal)))) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * In one pass and without recursion, so that no depth of nesting ends the stack. In valid JSON a digit or a minus
 * outside of strings begins a number.
 */
function* numberLiterals(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    if (text.charCodeAt(at) === QUOTE) {
      at++;
      while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
      at++;
    } else if (isNumberPart(text.charCodeAt(at))) {
      const start = at;
      while (at < text.length && isNumberPart(text.charCodeAt(at))) at++;
      const literal = text.slice(start, at);
      // The "e" of true, false is a part of numbers too; a number has a digit.
      if (/\d/.test(literal)) yield literal;
    } else at++;
  }
}

/** 0-9 + - . e E */
function isNumberPart(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || code === 0x45 || code === 0x65
  );
}

/** One text per decimal value: significant digits without zeros at either end, and their exponent. */
function decimal(literal: string): string {
  const parts = NUMBER.exec(literal);
  if (parts === null) return literal;
  const [, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = (whole + fraction).replace(/^0+/, "");
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  const significant = digits.slice(0, end);
  if (significant === "") return "0";
  // BigInt: an exponent of any length is legal JSON.
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${literal.startsWith("-") ? "-" : ""}${significant}e${scale}`;
}
