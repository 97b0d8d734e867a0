// Documents on their way in and out: the formats of an export; and the field of a document that names it: `id`, or
// `person.id` inside of nested objects.
import { CliError } from "../errors.ts";

/** The formats of an export. */
export const FORMATS = ["ndjson", "csv"] as const;

/** A format's name. */
export type Format = (typeof FORMATS)[number];

const FORMAT_BY_ENDING: Readonly<Record<string, Format>> = { ndjson: "ndjson", jsonl: "ndjson", csv: "csv" };

/**
 * The format that was asked for, else the one of the file's ending, else NDJSON for a pipe. Throws `usage` for an
 * ending that says nothing.
 */
export function chooseFormat(asked: Format | undefined, path: string): Format {
  if (asked !== undefined) return asked;
  if (path === "-") return "ndjson";
  const known = FORMAT_BY_ENDING[(path.split(".").pop() ?? "").toLowerCase()];
  if (known !== undefined) return known;
  throw new CliError("usage", {
    detail: `The ending of ${path} does not say which format it is.`,
    remedy: "Say it: --format ndjson or --format csv.",
  });
}

/** A JSON object as it was read. */
export type Document = Readonly<Record<string, unknown>>;

/** Whether a parsed value is a JSON object. */
export function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Longest line or CSV row that is taken into memory, in bytes; a document of 1 MiB fits with its escapes. */
export const LONGEST_LINE: number = 8 * 1024 * 1024;

/** A field's path, as names from the outside in. */
export type Field = readonly string[];

/** The text of a field, or what is wrong with it (never its content). */
export type FieldText =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "problem"; readonly reason: string };

/** Parses "id" or "person.id"; a dot that belongs to a name is written `\.`. */
export function parseField(text: string): Field {
  return text.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
}

/** Reads a field as text. Whole numbers are taken as their digits, since many exports number their rows. */
export function fieldText(document: Document, field: Field): FieldText {
  let value: unknown = document;
  for (const name of field) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return { kind: "problem", reason: "is missing" };
    value = (value as Document)[name];
  }
  if (typeof value === "number" && Number.isSafeInteger(value)) return { kind: "text", text: String(value) };
  if (typeof value !== "string") return { kind: "problem", reason: "is neither a text nor a whole number" };
  return value === "" ? { kind: "problem", reason: "is empty" } : { kind: "text", text: value };
}

/**
 * The document with the field set to `text`; a field that it has stays in its place. Null if the field holds something
 * else.
 */
export function withField(document: Document, [head = "", ...rest]: Field, text: string): Document | null {
  const present = Object.hasOwn(document, head);
  const current = document[head];
  if (rest.length === 0) {
    if (!present) return { [head]: text, ...document };
    return String(current) === text ? document : null;
  }
  if (present && (typeof current !== "object" || current === null || Array.isArray(current))) return null;
  const inner = withField(present ? (current as Document) : {}, rest, text);
  return inner === null ? null : present ? { ...document, [head]: inner } : { [head]: inner, ...document };
}
