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

/** A field that a person named for an option. */
export interface NamedField {
  /** "--id" */
  readonly flag: string;
  readonly text: string;
  readonly field: Field;
}

/**
 * The field of an option's text. A column whose heading is just that text is meant, dots and all.
 *
 * @throws CliError `input-invalid` where the file has columns and none of them holds the field
 */
export function resolveField(flag: string, text: string, columns: readonly SourceColumn[] | null): NamedField {
  const field = columns?.find((column) => column.heading === text)?.field ?? parseField(text);
  if (columns !== null && !columns.some((column) => column.field.every((name, level) => field[level] === name)))
    throw absent(
      { flag, text, field },
      "The file has no column",
      columns.map((column) => column.heading),
    );
  return { flag, text, field };
}

/** The same records. @throws CliError `input-invalid` where none of the first has the field */
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
    ahead.push(record);
    if (record.kind === "document") {
      first ??= record.document;
      const read = fieldText(record.document, named.field);
      found = read.kind === "text" || read.reason !== "is missing";
    }
    if (!found && ahead.length < RECORDS) continue;
    if (!found && first !== null) break;
    found = true;
    yield* ahead;
    ahead.length = 0;
  }
  if (found) return;
  if (first !== null) throw absent(named, "No record has a field", namesOf(first, []));
  yield* ahead;
}

function absent({ flag, text }: NamedField, what: string, names: readonly string[]): CliError {
  const shown = names.slice(0, NAMES).map(shownHeading).join(", ");
  const more = names.length > NAMES ? ` and ${names.length - NAMES} more` : "";
  const isData = names.some((name) => /@|^\W*\d[\d\W]{3,}$/.test(name));
  return new CliError("input-invalid", {
    detail: `${what} ${shownHeading(text)}.`,
    remedy: isData
      ? `${flag} must name a field, and the first row of the file looks like a record and not like a heading: put one before it.`
      : `${flag} must name one of: ${shown}${more}.`,
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
