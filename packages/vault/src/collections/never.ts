/**
 * Fields that must not be stored at all, wherever in a document they are: the code on the back of a card is as much one
 * in `payments[0].card.cvv` as in `cvv`.
 */
import type { FieldProblem } from "../errors.ts";
import type { JsonObject } from "../records/json.ts";
import type { FieldOptions } from "./fields.ts";
import { fieldOf } from "./field-path.ts";
import { requireNone } from "./schema.ts";
import type { DocumentSchema } from "./schema.ts";

/** A schema that refuses these fields besides; null: there is neither. */
export function withoutNever(
  schema: DocumentSchema | null,
  fields: ReadonlyMap<string, FieldOptions>,
  collection: string,
): DocumentSchema | null {
  const never = [...fields].flatMap(([path, { never: isNever }]) => (isNever === true ? [path.split(".")] : []));
  if (never.length === 0) return schema;
  return {
    fit: (document) => {
      // Before a schema, which may take a field away or give it another name: it was to be stored.
      requireNone(problemsOf(document, never), collection);
      const stored = schema === null ? document : schema.fit(document);
      if (stored !== document) requireNone(problemsOf(stored, never), collection);
      return stored;
    },
  };
}

/** Where a document has what is never stored. Null is nothing. */
function problemsOf(document: JsonObject, never: readonly (readonly string[])[]): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const look = (value: unknown, at: readonly string[]): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      const here = [...at, name];
      if (member !== null && never.some((path) => endsWith(here, path)))
        problems.push({ field: fieldOf(here), kind: "never-stored" });
      look(member, here);
    }
  };
  look(document, []);
  return problems;
}

/** Whether the names at the end of a place are those of a path, whatever lists lie between. */
function endsWith(place: readonly string[], path: readonly string[]): boolean {
  const names = place.filter((name, index) => index === place.length - 1 || !/^\d+$/.test(name));
  return path.length <= names.length && path.every((name, index) => names[names.length - path.length + index] === name);
}
