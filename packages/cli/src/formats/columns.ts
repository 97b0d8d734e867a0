// How a document fits into the cells of a CSV row, so that it comes back equal.
//
// A bare heading is a name, whatever is in it, and its cells are text: so are the headings of any other program. A
// heading that ends in `:text`, `:number`, `:boolean` or `:json` is Strongroom's own notation, and only there a dot
// goes into a nested object: `address.city:text` is the member `city` of `address`. In it a dot, colon or backslash of
// a name has a backslash before it, and what UTF-8 cannot carry is written `\uD800`. As the mark is in each heading,
// columns may be moved and removed in a spreadsheet. `:json` holds any JSON (lists, null, empty objects, columns of
// mixed kinds, texts with control characters). An empty cell is an absent value; a quoted empty cell ("") is the empty
// text, as in PostgreSQL's CSV. A column without a heading is none.
import { DEFAULT_VAULT_LIMITS } from "@strongroom/vault";
import { secretText } from "@strongroom/base/secret-memory";
import { type Document, LONGEST_LINE } from "./document.ts";
import { readJsonValue } from "./json-record.ts";
import { spreadsheetBoolean } from "./spreadsheet-booleans.ts";

/** What the cells of a column hold. */
export type ColumnKind = "text" | "number" | "boolean" | "json";

/** One column: where its value stands in the document, and what its cells hold. */
export interface CsvColumn {
  readonly path: readonly string[];
  readonly kind: ColumnKind;
}

/** One cell as the CSV reader gives it. */
export interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** More columns are no table: spreadsheets end here, too. */
export const MOST_COLUMNS: number = 16_384;

/** The heading of a column. */
export function heading({ path, kind }: CsvColumn): string {
  const [name = ""] = path;
  if (kind === "text" && path.length === 1 && name !== "" && isPlainText(name) && !KIND.test(name)) return name;
  return `${path.map(escaped).join(".")}:${kind}`;
}

/** How a bare heading is read: as one name, or with its dots as the notation's. */
export type BareHeadings = "literal" | "nested";

/** The column that a heading names; null for none. Throws RangeError with a reason. */
export function parseHeading(text: string, bare: BareHeadings): CsvColumn | null {
  if (text === "") return null;
  const kind = KIND.exec(text)?.[1] as ColumnKind | undefined;
  if (kind !== undefined) return { path: parsePath(text.slice(0, -kind.length - 1)), kind };
  return { path: bare === "nested" ? parsePath(text) : [text], kind: "text" };
}

/** The end of a heading in Strongroom's notation; a colon with a backslash before it belongs to a name. */
const KIND = /(?<!\\)(?:\\\\)*:(text|number|boolean|json)$/;

function escaped(name: string): string {
  return name
    .replace(/[\\.:]/g, "\\$&")
    .replace(UNFIT, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function parsePath(text: string): readonly string[] {
  const path: string[] = [];
  let name = "";
  for (const [token] of text.matchAll(/\\u[0-9a-f]{4}|\\[\\.:]|[^]/giu)) {
    if (token === ".") {
      path.push(name);
      name = "";
      if (path.length >= DEPTH) throw new RangeError(`goes deeper than ${DEPTH} levels`);
    } else if (token.length > 2) name += String.fromCharCode(Number.parseInt(token.slice(2), 16));
    else name += token.length > 1 && token.startsWith("\\") ? token.slice(1) : token;
  }
  return [...path, name];
}

const DEPTH = DEFAULT_VAULT_LIMITS.documentDepth;

/** What no text of CSV can hold: a surrogate alone, which UTF-8 does not have, and control characters. */
const UNFIT = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function isPlainText(text: string): boolean {
  return text.search(UNFIT) === -1;
}

/** Collects the columns of documents as they pass by, in the order of their first appearance. */
export class ColumnCollector {
  readonly #kinds = new Map<string, { readonly path: readonly string[]; kind: ColumnKind }>();
  #headingLength = 0;

  /** Throws RangeError with a reason where the columns become too many for a table; the document is then not added. */
  add(document: Document): void {
    for (const { path, value } of leaves(document, [])) {
      const key = JSON.stringify(path);
      const known = this.#kinds.get(key);
      if (known === undefined) {
        this.#headingLength += key.length;
        if (this.#kinds.size === MOST_COLUMNS) throw new RangeError(`it needs more than ${MOST_COLUMNS} columns`);
        if (this.#headingLength > LONGEST_HEADING) throw new RangeError("its names are too long for a heading");
        this.#kinds.set(key, { path, kind: kindOf(value) });
      } else if (known.kind !== kindOf(value)) known.kind = "json";
    }
  }

  columns(): readonly CsvColumn[] {
    return [...this.#kinds.values()].map(({ path, kind }) => ({ path, kind }));
  }
}

/** Escapes and quotes make of it no more than a row may be long. */
const LONGEST_HEADING = LONGEST_LINE / 8;

/** The cells of a document, in the order of the columns; an absent value is null. A number is one: no formula. */
export function toCells(document: Document, columns: readonly CsvColumn[]): (string | number | null)[] {
  const values = new Map(leaves(document, []).map(({ path, value }) => [JSON.stringify(path), value]));
  return columns.map(({ path, kind }) => {
    const value = values.get(JSON.stringify(path));
    if (value === undefined) return null;
    if (typeof value === "number") return value;
    return kind === "text" && typeof value === "string" ? value : JSON.stringify(value);
  });
}

/**
 * The document of a row; a column that is null has no heading and must be empty. Throws RangeError with a reason that
 * names the column by its number, never the cell's content.
 */
export function fromCells(cells: readonly Cell[], columns: readonly (CsvColumn | null)[]): Document {
  const root: Branch = new Map();
  columns.forEach((column, index) => {
    const cell = cells[index];
    if (cell === undefined || isAbsent(cell)) return;
    if (column === null) throw new RangeError(`column ${index + 1} holds something and has no heading`);
    setAt(root, column.path, READERS[column.kind](cell.text, index + 1), index + 1);
  });
  return plain(root);
}

/** Whether a cell says that there is no value. */
export function isAbsent({ text, quoted }: Cell): boolean {
  return text === "" && !quoted;
}

type Branch = Map<string, unknown>;

const READERS: Readonly<Record<ColumnKind, (text: string, column: number) => unknown>> = {
  text: (text) => text,
  number: (text, column) => typed(text, column, "number"),
  boolean: (text, column) => spreadsheetBoolean(text) ?? typed(text, column, "boolean"),
  json: (text, column) => parsed(text, column),
};

function typed(text: string, column: number, kind: "number" | "boolean"): unknown {
  const value = parsed(text, column);
  if (typeof value !== kind) throw new RangeError(`column ${column} is not a ${kind}`);
  return value;
}

function parsed(text: string, column: number): unknown {
  const read = readJsonValue(secretText(text, "utf8"));
  if (read.kind === "bad") throw new RangeError(`column ${column} does not hold what its heading says`);
  return read.value;
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Every value that is not itself a non-empty object. */
function leaves(document: Document, prefix: readonly string[]): Leaf[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const path = [...prefix, name];
    const nested =
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    return nested ? leaves(value as Document, path) : [{ path, value }];
  });
}

function kindOf(value: unknown): ColumnKind {
  if (typeof value === "string") return isPlainText(value) ? "text" : "json";
  return typeof value === "number" || typeof value === "boolean" ? (typeof value as ColumnKind) : "json";
}

function setAt(branch: Branch, path: readonly string[], value: unknown, column: number): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    if (branch.has(head)) throw new RangeError(`column ${column} gives a value that another column gives too`);
    branch.set(head, value);
    return;
  }
  const next = branch.get(head) ?? new Map<string, unknown>();
  if (!(next instanceof Map)) throw new RangeError(`column ${column} is inside of a value that another column gives`);
  branch.set(head, next);
  setAt(next as Branch, rest, value, column);
}

/** Own members only: a column named `__proto__` sets no prototype. */
function plain(branch: Branch): Document {
  return Object.fromEntries(
    [...branch].map(([name, value]) => [name, value instanceof Map ? plain(value as Branch) : value]),
  );
}
