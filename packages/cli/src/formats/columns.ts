// How a document fits into the cells of a CSV row, so that it comes back equal.
//
// A column is the path of a value: `address.city` is the member `city` of the object `address`; a dot, colon or
// backslash that belongs to a name is written with a backslash before it. A plain column holds text. `age:number` and
// `active:boolean` hold just that; `:json` holds any JSON (lists, null, empty objects, columns of mixed kinds). An
// empty cell is an absent value; a quoted empty cell ("") is the empty text, as in PostgreSQL's CSV.
import { parseJson } from "@strongroom/vault";
import { secretText } from "@strongroom/base/secret-memory";
import type { Document } from "./document.ts";

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

/** The heading of a column. */
export function heading({ path, kind }: CsvColumn): string {
  const name = path.map((part) => part.replace(/[\\.:]/g, "\\$&")).join(".");
  return kind === "text" ? name : `${name}:${kind}`;
}

/** The column that a heading names. A colon that is no kind's belongs to the name. Throws RangeError with a reason. */
export function parseHeading(text: string): CsvColumn {
  if (text === "") throw new RangeError("has no name");
  const suffix = /(?<!\\)(?:\\\\)*:(number|boolean|json)$/.exec(text);
  const kind = suffix === null ? "text" : (suffix[1] as ColumnKind);
  const name = suffix === null ? text : text.slice(0, text.length - kind.length - 1);
  const path = [""];
  for (const [token] of name.matchAll(/\\[\\.:]|[\s\S]/gu)) {
    if (token === ".") path.push("");
    else path.push((path.pop() ?? "") + (token.length > 1 && token.startsWith("\\") ? token.slice(1) : token));
  }
  return { path, kind };
}

/** Collects the columns of documents as they pass by, in the order of their first appearance. */
export class ColumnCollector {
  readonly #kinds = new Map<string, { readonly path: readonly string[]; kind: ColumnKind }>();

  add(document: Document): void {
    for (const { path, value } of leaves(document, [])) {
      const key = JSON.stringify(path);
      const known = this.#kinds.get(key);
      if (known === undefined) this.#kinds.set(key, { path, kind: kindOf(value) });
      else if (known.kind !== kindOf(value)) known.kind = "json";
    }
  }

  columns(): readonly CsvColumn[] {
    return [...this.#kinds.values()].map(({ path, kind }) => ({ path, kind }));
  }
}

/** The cells of a document, in the order of the columns; an absent value is null. */
export function toCells(document: Document, columns: readonly CsvColumn[]): (string | null)[] {
  const values = new Map(leaves(document, []).map(({ path, value }) => [JSON.stringify(path), value]));
  return columns.map(({ path, kind }) => {
    const value = values.get(JSON.stringify(path));
    if (value === undefined) return null;
    return kind === "text" && typeof value === "string" ? value : JSON.stringify(value);
  });
}

/** The document of a row. Throws RangeError with a reason that names the column, never the cell's content. */
export function fromCells(cells: readonly Cell[], columns: readonly CsvColumn[]): Document {
  const root: Branch = new Map();
  columns.forEach((column, index) => {
    const cell = cells[index];
    if (cell === undefined || (cell.text === "" && !cell.quoted)) return;
    setAt(root, column.path, READERS[column.kind](cell.text, index + 1), index + 1);
  });
  return plain(root);
}

type Branch = Map<string, unknown>;

const READERS: Readonly<Record<ColumnKind, (text: string, column: number) => unknown>> = {
  text: (text) => text,
  number: (text, column) => typed(text, column, "number"),
  boolean: (text, column) => typed(text, column, "boolean"),
  json: (text, column) => parsed(text, column),
};

function typed(text: string, column: number, kind: "number" | "boolean"): unknown {
  const value = parsed(text, column);
  if (typeof value !== kind) throw new RangeError(`column ${column} is not a ${kind}`);
  return value;
}

function parsed(text: string, column: number): unknown {
  try {
    return parseJson(secretText(text, "utf8"));
  } catch (cause) {
    throw new RangeError(`column ${column} does not hold what its heading says`, { cause });
  }
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
  if (typeof value === "string") return "text";
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
