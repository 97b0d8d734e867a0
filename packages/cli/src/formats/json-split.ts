// Cuts JSON text into its records without parsing it: the elements of a list, wherever it stands, or values one after
// another. A record is held at a time, and one that is too long is not held at all, so that a file of any length takes
// the memory of one record.
import { JSON_TOKEN, type JsonToken, JsonTokenizer } from "@strongroom/base/json";
import { secretConcat } from "@strongroom/base/secret-memory";
import { CliError } from "../errors.ts";
import { LONGEST_LINE } from "./document.ts";

/** The text of one record, or null where it is too long to be taken; the line on which it begins. */
export interface JsonPiece {
  readonly line: number;
  readonly bytes: Uint8Array | null;
}

/** An object, a list or the whole text, gone through member by member. */
interface Level {
  readonly kind: "text" | "object" | "list";
  /** How many names of the path led here. */
  readonly matched: number;
  expects: "first" | "name" | "colon" | "value" | "separator";
  /** Whether the path has gone on here. */
  taken: boolean;
  name: string;
}

/** A value that is read to its end as a whole. */
interface Whole {
  readonly what: "record" | "name" | "skipped";
  readonly line: number;
  /** Brackets that are open, the outermost first; those of extreme nesting are counted only. */
  readonly brackets: JsonToken[];
  depth: number;
  parts: Uint8Array[];
  length: number;
  /** Where it begins in the present chunk. */
  from: number;
}

/** Brackets whose kind is remembered. A record nested deeper is refused anyway, once it has been read past. */
const CHECKED_DEPTH = 1000;
const LONGEST_NAME = 64 * 1024;
/** Names that are told to a person who gave a path that leads nowhere. */
const NAMES_TOLD = 20;

const CLOSING: Readonly<Partial<Record<JsonToken, JsonToken>>> = {
  [JSON_TOKEN.objectStart]: JSON_TOKEN.objectEnd,
  [JSON_TOKEN.listStart]: JSON_TOKEN.listEnd,
};

/** Cuts a text that comes in chunks. The path leads through objects: `[]` is the text itself. */
export class JsonSplitter {
  readonly #path: readonly string[];
  readonly #tokens = new JsonTokenizer();
  readonly #levels: Level[] = [{ kind: "text", matched: 0, expects: "value", taken: false, name: "" }];
  readonly #names = new Set<string>();
  #whole: Whole | null = null;
  #reached = false;
  #pieces: JsonPiece[] = [];
  #chunk: Uint8Array = new Uint8Array();

  constructor(path: readonly string[]) {
    this.#path = path;
  }

  /** The records that end in this chunk. Where the text is no JSON, `fault` says so after them. */
  push(chunk: Uint8Array): { readonly pieces: readonly JsonPiece[]; readonly fault: CliError | null } {
    this.#chunk = chunk;
    return this.#taken(() => {
      this.#tokens.push(chunk, (token, at) => this.#token(token, at));
      if (this.#whole !== null) this.#keep(this.#whole, chunk.length);
    });
  }

  /** Ends the text. */
  end(): { readonly pieces: readonly JsonPiece[]; readonly fault: CliError | null } {
    this.#chunk = new Uint8Array();
    return this.#taken(() => {
      this.#tokens.end((token, at) => this.#token(token, at));
      if (this.#whole !== null || this.#levels.length > 1) throw this.#invalid("it ends in the middle of a value");
      if (!this.#reached) throw this.#nothingThere();
    });
  }

  #taken(step: () => void): { readonly pieces: readonly JsonPiece[]; readonly fault: CliError | null } {
    let fault: CliError | null = null;
    try {
      step();
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      fault = error;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    return { pieces, fault };
  }

  #token(token: JsonToken, at: number): boolean {
    if (this.#whole === null) this.#between(token, at);
    else this.#inside(this.#whole, token, at);
    return true;
  }

  /** A token inside of a value that is read as a whole: does it end it? */
  #inside(whole: Whole, token: JsonToken, at: number): void {
    if (token === JSON_TOKEN.objectStart || token === JSON_TOKEN.listStart) {
      if (whole.depth < CHECKED_DEPTH) whole.brackets.push(token);
      whole.depth++;
    } else if (token === JSON_TOKEN.objectEnd || token === JSON_TOKEN.listEnd) {
      const open = whole.depth <= CHECKED_DEPTH ? whole.brackets.pop() : undefined;
      if (open !== undefined && CLOSING[open] !== token)
        throw this.#invalid("a bracket is closed by one of the other kind");
      whole.depth--;
      if (whole.depth === 0) this.#finish(whole, at + 1);
    } else if (whole.depth === 0) this.#finish(whole, token === JSON_TOKEN.scalarEnd ? at : at + 1);
  }

  /** A token between values, where it must be what the grammar wants there. */
  #between(token: JsonToken, at: number): void {
    const level = this.#levels.at(-1) ?? fail();
    const { kind, expects } = level;
    if (token === JSON_TOKEN.objectEnd || token === JSON_TOKEN.listEnd) {
      const fits = token === JSON_TOKEN.objectEnd ? kind === "object" : kind === "list";
      if (!fits || (expects !== "first" && expects !== "separator"))
        throw this.#invalid("a bracket is closed too early");
      this.#levels.pop();
      this.#valueEnded();
    } else if (token === JSON_TOKEN.comma) {
      if (expects !== "separator") throw this.#invalid("there is a comma too many");
      level.expects = kind === "object" ? "name" : "value";
    } else if (token === JSON_TOKEN.colon) {
      if (expects !== "colon") throw this.#invalid("there is a colon too many");
      level.expects = "value";
    } else if (expects === "separator" || expects === "colon")
      throw this.#invalid(`a ${expects === "colon" ? "colon" : "comma"} is missing`);
    else if (kind === "object" && expects !== "value") {
      if (token !== JSON_TOKEN.stringStart) throw this.#invalid("a name is missing");
      this.#begin("name", token, at);
    } else this.#value(level, token, at);
  }

  #value(level: Level, token: JsonToken, at: number): void {
    const { kind, matched, name } = level;
    if (kind === "list") {
      this.#begin("record", token, at);
      return;
    }
    const steps = kind === "text" ? 0 : name === this.#path[matched] ? matched + 1 : -1;
    if (kind === "text" && this.#path.length > 0 && token !== JSON_TOKEN.objectStart)
      throw this.#invalid("an object is missing, in which --records could lead somewhere");
    if (kind === "object" && steps >= 0) {
      if (level.taken) throw this.#invalid("the same name is in one object twice");
      level.taken = true;
    }
    if (steps === this.#path.length) {
      this.#reached = true;
      if (token === JSON_TOKEN.listStart)
        this.#levels.push({ kind: "list", matched: steps, expects: "first", taken: false, name: "" });
      else this.#begin("record", token, at);
    } else if (steps >= 0 && token === JSON_TOKEN.objectStart)
      this.#levels.push({ kind: "object", matched: steps, expects: "first", taken: false, name: "" });
    else this.#begin("skipped", token, at);
  }

  #begin(what: Whole["what"], token: JsonToken, at: number): void {
    const isBracket = CLOSING[token] !== undefined;
    this.#whole = {
      what,
      line: this.#tokens.line,
      brackets: isBracket ? [token] : [],
      depth: isBracket ? 1 : 0,
      parts: [],
      length: 0,
      from: at,
    };
  }

  #finish(whole: Whole, to: number): void {
    this.#keep(whole, to);
    this.#whole = null;
    if (whole.what === "name") this.#named(whole);
    else {
      if (whole.what === "record")
        this.#pieces.push({ line: whole.line, bytes: whole.length > LONGEST_LINE ? null : joined(whole.parts) });
      this.#valueEnded();
    }
  }

  #keep(whole: Whole, to: number): void {
    const longest = whole.what === "record" ? LONGEST_LINE : whole.what === "name" ? LONGEST_NAME : 0;
    whole.length += to - whole.from;
    if (whole.length > longest) whole.parts = [];
    else if (to > whole.from) whole.parts.push(this.#chunk.subarray(whole.from, to));
    whole.from = 0;
  }

  #named({ parts, length }: Whole): void {
    const level = this.#levels.at(-1) ?? fail();
    level.expects = "colon";
    try {
      level.name = length > LONGEST_NAME ? "" : (JSON.parse(new TextDecoder().decode(joined(parts))) as string);
    } catch {
      throw this.#invalid("a name is not a JSON text");
    }
    if (this.#names.size < NAMES_TOLD) this.#names.add(level.name);
  }

  #valueEnded(): void {
    const level = this.#levels.at(-1) ?? fail();
    level.expects = level.kind === "text" ? "value" : "separator";
  }

  #invalid(reason: string): CliError {
    return new CliError("input-invalid", {
      detail: `Not valid JSON at line ${this.#tokens.line}: ${reason}.`,
      remedy: "Correct it there and run the same command again: records that are stored already are left alone.",
    });
  }

  #nothingThere(): CliError {
    const names = [...this.#names].map((name) => JSON.stringify(name.slice(0, 40))).join(", ");
    return new CliError("input-invalid", {
      detail: `There is nothing at --records ${this.#path.join(".")}.`,
      remedy: names === "" ? "Give the path of the list that holds the records." : `There is: ${names}.`,
    });
  }
}

/** The records of a text, in its order. @throws CliError `input-invalid` where nothing after that point can be read */
export async function* splitJson(
  chunks: AsyncIterable<Uint8Array>,
  path: readonly string[],
): AsyncGenerator<JsonPiece> {
  const splitter = new JsonSplitter(path);
  for await (const chunk of chunks) {
    const { pieces, fault } = splitter.push(chunk);
    yield* pieces;
    if (fault !== null) throw fault;
  }
  const { pieces, fault } = splitter.end();
  yield* pieces;
  if (fault !== null) throw fault;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] ?? new Uint8Array()) : secretConcat(parts);
}

function fail(): never {
  throw new Error("the levels of a JSON text are never empty");
}
