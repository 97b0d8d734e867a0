// The field that a person named, and whether the file has it at all. A wrong name is said once, with the names that
// there are, and not once a record.
import { CliError } from "../errors.ts";
import { shownHeading } from "./csv.ts";
import { type Document, type Field, fieldText, parseField } from "./document.ts";
import type { SourceColumn, SourceRecord } from "./format.ts";

/** Records that may lack the field before the file is refused. */
const RECORDS = 100;
/** Names that are shown. */
const NAMES = 20;

/** A field that a person named: what for, how, and where it is. */
export interface NamedField {
  readonly what: "id" | "id-from" | "subject" | "drop" | "only";
  readonly text: string;
  readonly field: Field;
}

/**
 * The field that is meant. A column whose heading is just the text is, dots and all.
 *
 * @throws CliError `input-invalid` where the file has columns and none of them holds the field
 */
export function resolveField(
  what: NamedField["what"],
  text: string,
  columns: readonly SourceColumn[] | null,
): NamedField {
  const field = columns?.find((column) => column.heading === text)?.field ?? parseField(text);
  const named: NamedField = { what, text, field };
  if (columns !== null && !columns.some((column) => column.field.every((name, level) => field[level] === name)))
    throw absent(
      named,
      "The file has no column",
      columns.map((column) => column.heading),
    );
  return named;
}

/**
 * The same records. Those that lack the field are bad, and only where one of the first has it are they let through.
 *
 * @throws CliError `input-invalid` where none has it
 */
export async function* requireField(
  records: AsyncIterable<SourceRecord>,
  named: NamedField,
): AsyncGenerator<SourceRecord> {
  const ahead: SourceRecord[] = [];
  let found = false;
  let first: Document | null = null;
  for await (const record of records) {
    if (found) {
      yield record;
      continue;
    }
    if (record.kind === "bad") {
      ahead.push(record);
      continue;
    }
    const read = fieldText(record.document, named.field);
    found = read.kind === "text" || read.reason !== "is missing";
    if (found) {
      yield* ahead;
      yield record;
      continue;
    }
    first ??= record.document;
    // Not the document: a hundred of them may be large.
    ahead.push({ kind: "bad", position: record.position, reason: `the ${named.what} field is missing` });
    if (ahead.length >= RECORDS) break;
  }
  if (found) return;
  if (first !== null) throw absent(named, "No record has a field", namesOf(first, []));
  yield* ahead;
}

function absent({ what, text }: NamedField, where: string, names: readonly string[]): CliError {
  const shown = names.slice(0, NAMES).map(shownHeading).join(", ");
  const more = names.length > NAMES ? ` and ${names.length - NAMES} more` : "";
  const isData = names.some((name) => /@|^\W*\d[\d\W]{3,}$/.test(name));
  return new CliError("input-invalid", {
    detail: `${where} ${shownHeading(text)}.`,
    remedy: isData
      ? `--${what} must name a field, and what the file has in its place looks like a person's data. A CSV file needs a ` +
        "row of headings before its first record."
      : `--${what} must name one of: ${shown}${more}.`,
  });
}

/** The fields of a document as --id takes them, objects gone into. */
function namesOf(document: Document, path: Field): readonly string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const here = [...path, name];
    const isInner = typeof value === "object" && value !== null && !Array.isArray(value) && here.length < 3;
    return isInner ? namesOf(value as Document, here) : [here.map((part) => part.replaceAll(".", "\\.")).join(".")];
  });
}
