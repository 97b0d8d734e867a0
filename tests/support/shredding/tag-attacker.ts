// Whoever has copies of the record store with search tags in them, and can open the living people's records: what they
// learn of those whose records do not open, because their tags are equal to the tags of the living. It needs no key.
import { DatabaseSync } from "node:sqlite";

/** A document, as it was written. */
export type Shown = Readonly<Record<string, unknown>>;

/** One tag of one record. */
export interface TagRow {
  /** The name of the index. */
  readonly index: string;
  readonly tag: string;
  /** The record's id, in clear beside it. */
  readonly id: string;
}

/** All tags that lie in a copy. */
export function tagsIn(copy: string): readonly TagRow[] {
  using database = new DatabaseSync(copy, { readOnly: true });
  const rows = database
    .prepare(
      `select indexes.name as "index", lower(hex(t.tag)) as tag, records.id as id
       from (select index_number, tag, record from tags union all select index_number, tag, record from unique_tags) t
       join indexes on indexes.number = t.index_number join records on records.record = t.record`,
    )
    .all();
  return rows as unknown as readonly TagRow[];
}

/**
 * Of each person the values that equal tags tell: index -> id -> value. Nothing is guessed.
 *
 * @param living id -> a document that was opened
 * @param valueOf what a document has in the field of an index
 */
export function toldByTags(
  copies: readonly string[],
  living: ReadonlyMap<string, Shown>,
  valueOf: (index: string, document: Shown) => unknown,
): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
  const rows = copies.flatMap(tagsIn);
  const known = new Map<string, unknown>();
  for (const { index, tag, id } of rows) {
    const document = living.get(id);
    if (document !== undefined) known.set(`${index} ${tag}`, valueOf(index, document));
  }
  const told = new Map<string, Map<string, unknown>>();
  for (const { index, tag, id } of rows) {
    if (living.has(id) || !known.has(`${index} ${tag}`)) continue;
    const ofIndex = told.get(index) ?? new Map<string, unknown>();
    told.set(index, ofIndex.set(id, known.get(`${index} ${tag}`)));
  }
  return told;
}

/** The value that most of the living have: what whoever knows nothing guesses best. */
export function bestGuess(values: readonly unknown[]): unknown {
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
