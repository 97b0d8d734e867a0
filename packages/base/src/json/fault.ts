/**
 * What JSON.parse takes in silence: a name that is there twice in one object, of which it keeps the last (RFC 8259,
 * section 4, leaves it open), and nesting that ends the stack of whoever walks the value later. Threat answered:
 * `{"a":1,"a":2}` is 1 to one program and 2 to the next, and one of the two values is lost.
 */

/** What is wrong with a text, and where: the offset of the second name, or of the bracket that is too deep. */
export interface JsonFault {
  readonly kind: "repeated-name" | "too-deep";
  readonly offset: number;
}

/** Names of an object that is being gone through: none yet, one, several; null of a list. */
type Names = undefined | string | Set<string> | null;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The first fault of a JSON text in UTF-8, or null. Names are compared as they are parsed: `"a"` and `"\u0061"` are
 * one. In one pass without recursion, past strings at the speed of a search: every body of a request goes through here.
 * Of a text that is no JSON it may find one or none: a parser must still read it.
 *
 * @param depth levels of objects and lists inside each other that there may be; left out: any
 */
export function jsonFault(bytes: Uint8Array, { depth = Infinity }: { readonly depth?: number } = {}): JsonFault | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Names[] = [];
  let isNameNext = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      const end = stringEnd(text, at);
      if (isNameNext && !add(open, nameBetween(text, at, end))) return { kind: "repeated-name", offset: at };
      isNameNext = false;
      at = end;
    } else if (byte === OBJECT || byte === LIST) {
      if (open.length >= depth) return { kind: "too-deep", offset: at };
      open.push(byte === OBJECT ? undefined : null);
      isNameNext = byte === OBJECT;
    } else if (byte === OBJECT_END || byte === LIST_END) {
      open.pop();
      isNameNext = false;
    } else if (byte === COMMA) isNameNext = open.length > 0 && open.at(-1) !== null;
  }
  return null;
}

/** Adds a name to the innermost object; false when it is there. */
function add(open: Names[], name: string): boolean {
  const names = open.at(-1);
  if (typeof names !== "object" || names === null) {
    if (names === name) return false;
    open[open.length - 1] = typeof names === "string" ? new Set([names, name]) : name;
  } else {
    if (names.has(name)) return false;
    names.add(name);
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

/** A name, its escapes resolved. What is no JSON string stands for itself. */
function nameBetween(text: Buffer, start: number, end: number): string {
  const literal = text.toString("utf8", start, end + 1);
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}
