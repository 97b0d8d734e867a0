/**
 * Which indexes there are beside those that are declared, and what is to be done about each.
 */
import { shown } from "@strongroom/base/shown";
import type { Collection } from "../records/address.ts";
import type { IndexRow } from "../stores/indexes.ts";
import type { KeyVersion } from "../stores/key-store.ts";
import type { IndexDefinition } from "./definitions.ts";
import type { IndexBook, IndexList } from "./index-book.ts";
import type { OpenIndex } from "./tagger.ts";

/**
 * `ready`: it is as declared. `build`: it is not there. `building`: it is, and not all records have its tags. `rekey`:
 * it is under an older version of the index key. `drop`: nobody here declares it, or another one has taken its place.
 * `purge`: it was dropped, and tags of it are there.
 */
export type IndexStep = "ready" | "build" | "building" | "rekey" | "drop" | "purge";

/** What is to be done about one index. */
export interface IndexPlanLine {
  readonly collection: string;
  readonly index: string;
  readonly step: IndexStep;
  readonly isUnique: boolean;
  /** Paths of its fields; of an index that is not declared here, nobody knows. */
  readonly fields: readonly string[];
}

/** A line with what it is about. */
export interface IndexLine extends IndexPlanLine {
  readonly definition: IndexDefinition | null;
  /** Null: it is not there. */
  readonly row: IndexRow | null;
}

/** The lines, in the order of collections and names. */
export async function indexLines(book: IndexBook, list: IndexList): Promise<readonly IndexLine[]> {
  const { declarations } = book.options;
  const newest = await book.newestKnown();
  const collections = new Set<Collection>([
    ...declarations.all.map(({ collection }) => collection),
    ...list.indexes.map(({ collection }) => collection),
  ]);
  const lines: IndexLine[] = [];
  for (const collection of [...collections].sort()) {
    const { open, unknown } = await book.openOf(collection, list);
    const own: IndexLine[] = [];
    for (const definition of book.definitions(collection)) {
      const ofIt = open.filter((one) => one.definition === definition);
      for (const line of linesOf(definition, ofIt, newest)) own.push(line);
    }
    for (const row of unknown) own.push(lineOfRow(row, "drop"));
    for (const row of list.indexes)
      if (row.collection === collection && row.state === "dropped") own.push(lineOfRow(row, "purge"));
    for (const line of own.sort((a, b) => (a.index < b.index ? -1 : 1))) lines.push(line);
  }
  return lines;
}

function linesOf(
  definition: IndexDefinition,
  open: readonly OpenIndex[],
  newest: KeyVersion | null,
): readonly IndexLine[] {
  const current = open.find(({ version }) => version === newest);
  const older = open.filter((one) => one !== current);
  const line = (step: IndexStep, row: IndexRow | null): IndexLine => ({
    collection: definition.collection,
    index: definition.name,
    step,
    isUnique: definition.isUnique,
    fields: definition.fields.map(({ path }) => path),
    definition,
    row,
  });
  if (current === undefined) return [line(older.length > 0 ? "rekey" : "build", null)];
  if (current.row.state === "building") return [line("building", current.row)];
  return [line("ready", current.row), ...older.map(({ row }) => line("drop", row))];
}

function lineOfRow(row: IndexRow, step: "drop" | "purge"): IndexLine {
  const { collection, name, isUnique } = row;
  return { collection, index: shown(name), step, isUnique, fields: [], definition: null, row };
}
