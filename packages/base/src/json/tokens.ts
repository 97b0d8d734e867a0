/**
 * The tokens of JSON text (RFC 8259) in UTF-8, a chunk at a time and without recursion, so that neither the length of a
 * text nor the depth of its nesting costs memory. It tells where strings and values begin and end; whether the text is
 * JSON at all is for a parser to say. Own code: the streaming parsers of npm give values, in which a name that is there
 * twice and the digits of a number are lost already.
 */

/** What is reported: a structural character as its own byte, and the ends of strings and of other values. */
export const JSON_TOKEN = {
  objectStart: 0x7b,
  objectEnd: 0x7d,
  listStart: 0x5b,
  listEnd: 0x5d,
  colon: 0x3a,
  comma: 0x2c,
  stringStart: 1,
  stringEnd: 2,
  scalarStart: 3,
  scalarEnd: 4,
} as const;

/** One of {@link JSON_TOKEN}. */
export type JsonToken = (typeof JSON_TOKEN)[keyof typeof JSON_TOKEN];

/**
 * Is told of each token: which, and where its byte lies in the chunk (for the end of a string its closing quote, for
 * the end of a number or word the byte behind it). False ends the chunk there.
 */
export type OnToken = (token: JsonToken, at: number) => boolean;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** The state of a text between two chunks. */
export class JsonTokenizer {
  #state: "between" | "string" | "escape" | "scalar" = "between";
  #line = 1;

  /** The line of the last byte that was read, from 1 on. */
  get line(): number {
    return this.#line;
  }

  /** Reads a chunk. */
  push(chunk: Uint8Array, on: OnToken): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.#line++;
      if (this.#state === "string") {
        if (byte === BACKSLASH) this.#state = "escape";
        else if (byte === QUOTE) {
          this.#state = "between";
          if (!on(JSON_TOKEN.stringEnd, at)) return;
        }
        continue;
      }
      if (this.#state === "escape") {
        this.#state = "string";
        continue;
      }
      const isWhite = byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;
      const structural = isStructural(byte);
      if (this.#state === "scalar") {
        if (!isWhite && !structural && byte !== QUOTE) continue;
        this.#state = "between";
        if (!on(JSON_TOKEN.scalarEnd, at)) return;
      }
      if (isWhite) continue;
      if (structural) {
        if (!on(byte as JsonToken, at)) return;
      } else if (byte === QUOTE) {
        this.#state = "string";
        if (!on(JSON_TOKEN.stringStart, at)) return;
      } else {
        this.#state = "scalar";
        if (!on(JSON_TOKEN.scalarStart, at)) return;
      }
    }
  }

  /** Ends the text: a number or word at its very end ends there. */
  end(on: OnToken): void {
    if (this.#state !== "scalar") return;
    this.#state = "between";
    on(JSON_TOKEN.scalarEnd, 0);
  }
}

/** { } [ ] : , */
function isStructural(byte: number): boolean {
  return byte === 0x2c || byte === 0x3a || byte === 0x5b || byte === 0x5d || byte === 0x7b || byte === 0x7d;
}
