/**
 * Values of a database's columns as JSON holds them, and back: exactly, or not at all. A move that rounded a number or
 * cut a moment would go unnoticed until the column is dropped.
 */
import type { JsonValue } from "../records/document.ts";
import { parseJson } from "../records/document.ts";
import { jsonFault } from "@strongroom/base/json";

/** One value, as it was read. */
export type Cell =
  | null
  | { readonly kind: "text" | "number" | "boolean" | "json"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  | { readonly kind: "unfit"; readonly why: string };

/** What a value is in a document, or why it is in none. */
export type Taken = { readonly value: JsonValue } | { readonly unfit: string };

/** Kind of a column's values, by the type of PostgreSQL. What is not here is refused. */
const POSTGRES_KINDS: Readonly<Record<string, "text" | "number" | "boolean" | "json" | "bytes">> = {
  ...asKind("text", "text varchar bpchar citext name uuid xml inet cidr macaddr macaddr8"),
  // As the server writes them: no double holds them all, and no Date has microseconds or infinity.
  ...asKind("text", "int8 numeric date time timetz timestamp timestamptz interval"),
  ...asKind("number", "int2 int4 float4 float8"),
  bool: "boolean",
  json: "json",
  jsonb: "json",
  bytea: "bytes",
};

function asKind<Kind extends string>(kind: Kind, names: string): Readonly<Record<string, Kind>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kind]));
}

/** The kind of a type, by its name and its sort in the catalogue (`e`: an enumeration); null: it cannot be moved. */
export function postgresKind(name: string, sort: string): "text" | "number" | "boolean" | "json" | "bytes" | null {
  if (sort === "e") return "text";
  return Object.hasOwn(POSTGRES_KINDS, name) ? (POSTGRES_KINDS[name] ?? null) : null;
}

/** A value of SQLite, which says its own type. Text comes as its bytes: SQLite does not look whether they are UTF-8. */
export function sqliteCell(value: unknown, type: unknown, as: "text" | undefined): Cell {
  if (value === null) return null;
  if (type === "text") {
    const text = strictText(value as Uint8Array);
    return text === null ? { kind: "unfit", why: "text that is not UTF-8" } : { kind: "text", text };
  }
  if (value instanceof Uint8Array) return { kind: "bytes", bytes: Buffer.from(value) };
  const number = value as bigint | number;
  const text = String(number);
  if (as === "text") return { kind: "text", text };
  if (typeof value === "bigint" && !Number.isSafeInteger(Number(value)))
    return { kind: "unfit", why: "a whole number that no double holds: move the column as text" };
  return { kind: "number", text: Object.is(value, -0) ? "-0" : text };
}

/** The UTF-8 text of bytes; null: it is none. */
export function strictText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A cell as a document has it. Bytes are base64. */
export function taken(cell: Cell): Taken {
  if (cell === null) return { value: null };
  switch (cell.kind) {
    case "unfit":
      return { unfit: cell.why };
    case "bytes":
      return { value: cell.bytes.toString("base64") };
    case "text":
      return cell.text.isWellFormed() ? { value: cell.text } : { unfit: "text with half of a character" };
    case "boolean":
      return { value: cell.text === "true" || cell.text === "t" };
    case "number": {
      const value = Number(cell.text);
      if (!Number.isFinite(value) || Object.is(value, -0))
        return { unfit: "a number that JSON has not: NaN, infinity, -0" };
      return { value };
    }
    case "json":
      return takenJson(cell.text);
  }
}

function takenJson(text: string): Taken {
  const bytes = Buffer.from(text);
  try {
    const value = parseJson(bytes) as JsonValue;
    return jsonFault(bytes) === null ? { value } : { unfit: "JSON with a key twice" };
  } catch {
    return { unfit: "JSON with a number that a double does not hold" };
  }
}

/** A document's value as a column is given it: its text, its bytes, or null. */
export function givenBack(value: JsonValue | undefined, kind: string): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (kind === "json") return JSON.stringify(value);
  if (kind === "bytes" && typeof value === "string") return Buffer.from(value, "base64");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
