/**
 * What JSON.parse takes in silence: a name that is there twice in one object, of which it keeps the last (RFC 8259,
 * section 4, leaves it open), and nesting that ends the stack of whoever walks the value later.
 */
import { JSON_TOKEN, JsonTokenizer } from "./tokens.ts";

/** What is wrong with a text, and where: the offset of the second name, or of the bracket that is too deep. */
export interface JsonFault {
  readonly kind: "repeated-name" | "too-deep";
  readonly offset: number;
}

/** An object or list that is open; `names` is null for a list. */
interface Open {
  readonly names: Set<string> | null;
  atName: boolean;
}

/**
 * The first fault of a JSON text in UTF-8, or null. Of a text that is no JSON it may find one or none: a parser must
 * still read it.
 */
export function jsonFault(text: Uint8Array, { depth }: { readonly depth: number }): JsonFault | null {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const open: Open[] = [];
  let start = 0;
  let fault: JsonFault | null = null;
  new JsonTokenizer().push(text, (token, at) => {
    const inside = open.at(-1);
    switch (token) {
      case JSON_TOKEN.objectStart:
      case JSON_TOKEN.listStart:
        if (open.length === depth) fault = { kind: "too-deep", offset: at };
        else open.push({ names: token === JSON_TOKEN.objectStart ? new Set() : null, atName: true });
        break;
      case JSON_TOKEN.objectEnd:
      case JSON_TOKEN.listEnd:
        open.pop();
        break;
      case JSON_TOKEN.comma:
      case JSON_TOKEN.colon:
        if (inside !== undefined) inside.atName = token === JSON_TOKEN.comma;
        break;
      case JSON_TOKEN.stringStart:
        start = at;
        break;
      case JSON_TOKEN.stringEnd:
        if (inside?.atName === true && inside.names !== null) {
          const name = nameOf(bytes.subarray(start, at + 1));
          if (inside.names.has(name)) fault = { kind: "repeated-name", offset: start };
          inside.names.add(name);
        }
        break;
      case JSON_TOKEN.scalarStart:
      case JSON_TOKEN.scalarEnd:
        break;
    }
    return fault === null;
  });
  return fault;
}

/** A name, its escapes resolved: `"\u0061"` and `"a"` are the same. What is no JSON string stands for itself. */
function nameOf(literal: Buffer): string {
  const text = literal.toString("utf8");
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
