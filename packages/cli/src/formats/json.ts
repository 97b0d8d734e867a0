// JSON that is not a record a line: a list of records, a list inside of an object, objects over several lines or one
// after another.
import { CliError } from "../errors.ts";
import { type Document, type Field, fieldText, isDocument, LONGEST_LINE, parseField } from "./document.ts";
import type { InputFormat, ReadOptions, Sample, Source, SourceRecord } from "./format.ts";
import { readJsonRecord } from "./json-record.ts";
import { shapeOf } from "./json-shape.ts";
import { JsonSplitter, splitJson } from "./json-split.ts";

/** Where records are: the list that holds them, and where in each of its elements. */
interface RecordsPath {
  readonly list: readonly string[];
  readonly inner: Field;
}

/** The text itself: the elements of its list, or its objects. */
const WHOLE: RecordsPath = { list: [], inner: [] };

/** JSON text of any layout. */
export const jsonFormat: InputFormat = {
  kind: "taken",
  name: "json",
  title: "JSON",
  content: "text",
  unit: "record",
  looksLike: ({ text }) => text !== null && JSON_START.test(text),
  read: async ({ sample, chunks }: Source, options: ReadOptions) => {
    const path = options.records === null ? pathByLook(sample, options.idField) : parseRecordsPath(options.records);
    const said = options.records !== null || path.list.length === 0;
    return {
      columns: null,
      notes: said ? [] : [`The records are taken from ${shownPath(path)}.`],
      records: readJson(chunks, path),
    };
  },
};

/** An object or a list, and not a word in brackets as a heading of CSV may have it. */
const JSON_START = /^[ \t\r\n]*(?:\{[ \t\r\n]*(?:["}]|$)|\[[ \t\r\n]*(?:["[\]{\d-]|true\b|false\b|null\b|$))/;

async function* readJson(chunks: AsyncIterable<Uint8Array>, path: RecordsPath): AsyncGenerator<SourceRecord> {
  let position = 0;
  for await (const { line, bytes } of splitJson(chunks, path.list)) {
    position++;
    const place = `(it begins on line ${line})`;
    if (bytes === null) {
      yield { kind: "bad", position, reason: `longer than ${LONGEST_LINE} bytes ${place}` };
      continue;
    }
    const record = readJsonRecord(bytes);
    if (record.kind === "bad") yield { kind: "bad", position, reason: `${record.reason} ${place}` };
    else {
      const document = within(record.document, path.inner);
      yield document === null
        ? { kind: "bad", position, reason: `there is no object at ${path.inner.join(".")} ${place}` }
        : { kind: "document", position, document };
    }
  }
}

/** The object at a path inside of another. */
function within(document: Document, field: Field): Document | null {
  let value: unknown = document;
  for (const name of field) {
    if (!isDocument(value) || !Object.hasOwn(value, name)) return null;
    value = value[name];
  }
  return isDocument(value) ? value : null;
}

/** Reads "users", "data.users" or "entry[].resource". @throws CliError `usage` */
function parseRecordsPath(text: string): RecordsPath {
  if (text === ".") return WHOLE;
  const [list = "", inner = "", ...more] = text.split("[]");
  if (more.length > 0 || (inner !== "" && !inner.startsWith(".")))
    throw new CliError("usage", {
      detail: "--records is no path of a list.",
      remedy: "For example: --records users, --records data.users, --records 'entry[].resource'",
    });
  return { list: list === "" ? [] : parseField(list), inner: inner === "" ? [] : parseField(inner.slice(1)) };
}

function shownPath({ list, inner }: RecordsPath): string {
  const name = (path: Field): string => path.map((part) => part.replaceAll(".", "\\.")).join(".");
  return inner.length === 0 ? name(list) : `${name(list)}[].${name(inner)}`;
}

/**
 * What many exports wrap around their records is an object with one list whose first element has the id; an object that
 * has the id itself and no such list is a record. Where both could be meant nothing is guessed, but for a pipe of one
 * line, which is NDJSON.
 */
function pathByLook(sample: Sample, idField: Field | null): RecordsPath {
  const bytes = Buffer.from(sample.text ?? "");
  const { lists, values, names } = shapeOf(bytes);
  if (values > 1 || lists.length === 0) return WHOLE;
  const bundle = BUNDLE.test(sample.text ?? "");
  const fitting = lists.flatMap((list) => {
    const first = firstOf(bytes, list);
    if (first === null) return [];
    // A Bundle of FHIR holds each resource one level down.
    const inner = bundle && list.join() === "entry" ? ["resource"] : [];
    const document = within(first, inner);
    if (document === null) return [];
    const fits = idField === null ? inner.length > 0 : fieldText(document, idField).kind === "text";
    return fits || inner.length > 0 ? [{ list, inner }] : [];
  });
  const [only] = fitting;
  const isRecord = idField !== null && names.has(idField[0] ?? "");
  if (isRecord && !bundle && (fitting.length === 0 || (isOneLine(sample) && !isNamedJson(sample)))) return WHOLE;
  if (only !== undefined && fitting.length === 1 && (bundle || !isRecord)) return only;
  const paths = lists.map((list) => shownPath({ list, inner: [] }).slice(0, 60));
  throw new CliError("input-invalid", {
    detail: `The file is one JSON object, and its records may be in ${paths.slice(0, 10).join(", ")}.`,
    remedy:
      `Say where they are, for example --records ${paths[0] ?? ""}, and which field names each: --id FIELD. If the ` +
      "object itself is the one record: --records .",
  });
}

const BUNDLE = /"resourceType"\s*:\s*"Bundle"/;

function isNamedJson({ asked, ending }: Sample): boolean {
  return asked === null ? ending === "json" : asked === "json";
}

function isOneLine({ text, whole }: Sample): boolean {
  return whole && text?.trim().includes("\n") === false;
}

function firstOf(bytes: Uint8Array, list: readonly string[]): Document | null {
  const first = new JsonSplitter(list).push(bytes).pieces[0]?.bytes ?? null;
  const record = first === null ? null : readJsonRecord(first);
  return record?.kind === "document" ? record.document : null;
}
