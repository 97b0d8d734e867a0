// Two documents about one person become one. Objects are merged member by member, at any depth; everything else (texts,
// numbers, lists, null) is one value: it is added where there is none, and where there is another one that is a
// conflict, named by its field. A list is one value because nobody can tell an addition to it from a correction.
import { isDeepStrictEqual } from "node:util";
import { type Document, type Field, isDocument } from "../formats/document.ts";

/** Whose value stands where both have one. */
export type Preference = "stored" | "file";

/** The merged document, and the fields in which the two say different things. */
export interface Merged {
  readonly document: Document;
  readonly conflicts: readonly string[];
}

/** A field as a person names it: a dot that belongs to a name has a backslash before it. */
export function fieldName(field: Field): string {
  return field.map((name) => name.replaceAll(".", "\\.")).join(".");
}

/**
 * Merges `added` into `stored`.
 *
 * @param same fields that are known to say the same, in whatever form: that of the record's id
 */
export function mergeDocuments(
  stored: Document,
  added: Document,
  preference: Preference,
  same: ReadonlySet<string> = new Set(),
): Merged {
  const conflicts: string[] = [];
  const merge = (mine: Document, theirs: Document, above: Field): Document => {
    // A map, so that a member named __proto__ is a member.
    const members = new Map(Object.entries(mine));
    for (const [name, value] of Object.entries(theirs)) {
      const field = [...above, name];
      const present = members.get(name);
      if (!members.has(name)) members.set(name, value);
      else if (isDocument(present) && isDocument(value)) members.set(name, merge(present, value, field));
      else if (!same.has(fieldName(field)) && !isDeepStrictEqual(present, value)) {
        conflicts.push(fieldName(field));
        if (preference === "file") members.set(name, value);
      }
    }
    return Object.fromEntries(members);
  };
  return { document: merge(stored, added, []), conflicts };
}
