/**
 * @strongroom/base/json: what JSON.parse does not say of a text. Threat answered: `{"a":1,"a":2}` is 1 to one program
 * and 2 to the next, and one of the two values is lost in silence.
 */

/** Keys of an object that is being gone through: none yet, one, several; null of an array. */
type Keys = undefined | string | Set<string> | null;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Where some object of a JSON text has a key for the second time; null when none has. Keys are compared as they are
 * parsed: `"a"` and `"\u0061"` are one. In one pass without recursion, so that no depth of nesting ends the stack.
 *
 * @param bytes valid JSON in UTF-8
 * @returns the place of the second key, in bytes
 */
export function duplicateKey(bytes: Uint8Array): number | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Keys[] = [];
  let isKeyNext = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      const end = stringEnd(text, at);
      if (isKeyNext && !add(open, keyBetween(text, at, end))) return at;
      isKeyNext = false;
      at = end;
    } else if (byte === OBJECT || byte === ARRAY) {
      open.push(byte === OBJECT ? undefined : null);
      isKeyNext = byte === OBJECT;
    } else if (byte === OBJECT_END || byte === ARRAY_END) {
      open.pop();
      isKeyNext = false;
    } else if (byte === COMMA) isKeyNext = open.at(-1) !== null;
  }
  return null;
}

/** Adds a key to the innermost object; false when it is there. */
function add(open: Keys[], key: string): boolean {
  const keys = open.at(-1);
  if (typeof keys !== "object" || keys === null) {
    if (keys === key) return false;
    open[open.length - 1] = typeof keys === "string" ? new Set([keys, key]) : key;
  } else {
    if (keys.has(key)) return false;
    keys.add(key);
  }
  return true;
}

/** The place of the quote that ends the string which begins at `start`. */
function stringEnd(text: Buffer, start: number): number {
  for (let end = text.indexOf(QUOTE, start + 1); end !== -1; end = text.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function keyBetween(text: Buffer, start: number, end: number): string {
  const literal = text.toString("utf8", start, end + 1);
  return literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}
