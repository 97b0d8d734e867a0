// The fields that a person named for the options of an import, found in the file at hand. A column whose heading is
// just what was said is meant, dots and all; a name that no column has is refused before anything is stored.
import { parseField } from "../formats/document.ts";
import { type NamedField, resolveField } from "../formats/missing-field.ts";
import type { SourceColumn } from "../formats/format.ts";

/** Finds fields by the names that a person gave for an option. */
export interface FieldNames {
  one(what: NamedField["what"], text: string): NamedField;
  /** Several in one text, "given,family,born"; a comma that belongs to a name is written `\\,`. */
  list(what: NamedField["what"], text: string): readonly NamedField[];
}

/** Of a file with these columns, or of one without a heading. */
export function fieldNames(columns: readonly SourceColumn[] | null): FieldNames {
  const one: FieldNames["one"] = (what, text) => {
    const field = parseField(text);
    const isObject = columns?.some((column) => field.every((name, level) => column.field[level] === name)) === true;
    return isObject ? { what, text, field } : resolveField(what, text, columns);
  };
  return {
    one,
    list: (what, text) => text.split(/(?<!\\),/).map((name) => one(what, name.replaceAll("\\,", ",").trim())),
  };
}
