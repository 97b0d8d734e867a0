/**
 * One member of a JSON object (RFC 8259), found in the bytes and put into them without parsing the rest. It finds, it
 * does not validate: whoever calls parses what is left. Threat answered: two readers of one text that see different
 * members; so names must be plain, and the member must be there once, as a plain string.
 */
import { base64Length, writeBase64 } from "./base64-bytes.ts";
import { unmovedMemory } from "../../crypto/secret.ts";

/** Where a string's text lies, without its quotes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number | undefined> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number | undefined> = new Set([0x5d, 0x7d]);
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** @throws SyntaxError when `json` is not an object that has `name` once, unescaped, as a string without escapes */
export function findStringMember(json: Uint8Array, name: string): Span {
  const wanted = Buffer.from(name, "latin1");
  let found: Span | null = null;
  let at = skipSpace(json, 0);
  if (json[at] !== OPEN_OBJECT) throw malformed("is not a JSON object");
  at = skipSpace(json, at + 1);
  if (json[at] === CLOSE_OBJECT) throw malformed(`has no ${name}`);
  for (;;) {
    const key = plainString(json, at);
    at = skipSpace(json, key.end + 1);
    if (json[at] !== COLON) throw malformed("is not well-formed JSON");
    at = skipSpace(json, at + 1);
    if (wanted.equals(json.subarray(key.start, key.end))) {
      if (found !== null) throw malformed(`has ${name} twice`);
      found = plainString(json, at);
      at = found.end + 1;
    } else at = skipValue(json, at);
    at = skipSpace(json, at);
    if (json[at] === COMMA) at = skipSpace(json, at + 1);
    else if (json[at] === CLOSE_OBJECT && skipSpace(json, at + 1) === json.length) break;
    else throw malformed("is not well-formed JSON");
  }
  if (found === null) throw malformed(`has no ${name}`);
  return found;
}

/**
 * The JSON object `json` with one member more, `value` as base64, in memory of its own that the caller wipes.
 * @throws TypeError when `json` is not an object
 */
export function withBase64Member(json: Uint8Array, name: string, value: Uint8Array): Buffer {
  if (json[0] !== OPEN_OBJECT || json.at(-1) !== CLOSE_OBJECT) throw new TypeError("The request is not a JSON object");
  const before = Buffer.from(`{"${name}":"`, "latin1");
  const between = json.length === 2 ? '"' : '",';
  const valueEnd = before.length + base64Length(value.length);
  const whole = unmovedMemory(valueEnd + between.length + json.length - 1);
  whole.set(before);
  writeBase64(value, whole, before.length);
  whole.write(between, valueEnd, "latin1");
  whole.set(json.subarray(1), valueEnd + between.length);
  return whole;
}

/** A refusal, of the kind that JSON.parse has. Never with a byte of the answer: it holds a key. */
export function malformed(what: string): SyntaxError {
  return new SyntaxError(`The answer of AWS KMS ${what}`);
}

function skipSpace(json: Uint8Array, from: number): number {
  let at = from;
  while (SPACE.has(json[at])) at++;
  return at;
}

/** The string of printable ASCII, without escapes, that begins at `from`. */
function plainString(json: Uint8Array, from: number): Span {
  if (json[from] !== QUOTE) throw malformed("is not well-formed JSON");
  for (let at = from + 1; at < json.length; at++) {
    const character = json[at] ?? 0;
    if (character === QUOTE) return { start: from + 1, end: at };
    if (character < 0x20 || character > 0x7e || character === BACKSLASH) throw malformed("has an escaped name or key");
  }
  throw malformed("is cut short");
}

/** Where the value that begins at `from` ends. */
function skipValue(json: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    const character = json[at];
    if (character === QUOTE) at = closingQuote(json, at);
    else if (OPENING.has(character)) depth++;
    else if (depth > 0 && CLOSING.has(character)) depth--;
    else if (depth === 0 && (character === COMMA || CLOSING.has(character))) return at;
  }
  throw malformed("is cut short");
}

function closingQuote(json: Uint8Array, from: number): number {
  for (let at = from + 1; at < json.length; at++) {
    if (json[at] === BACKSLASH) at++;
    else if (json[at] === QUOTE) return at;
  }
  throw malformed("is cut short");
}
