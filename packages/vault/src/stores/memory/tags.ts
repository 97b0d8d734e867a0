/**
 * Tags of what is in memory. A record's tags lie in its row, with which they go; who has a tag of a unique index is in
 * a table of its own.
 */
import type { Address } from "../../records/address.ts";
import { requireUniqueTag, tagKey } from "../index-limits.ts";
import type { IndexId, IndexRow, Tag } from "../indexes.ts";
import type { Table } from "./table.ts";

/** What tags are written to. */
export interface TagTables {
  /** All indexes by their ids. */
  readonly indexes: ReadonlyMap<string, IndexRow>;
  /** A unique tag -> the key of the record that has it; empty: none has it any more. */
  readonly holders: Table<string>;
}

/** Those of the tags whose indexes are written. @throws VaultError `store-failed` of a unique one that is too short */
export function writtenTags(
  { indexes }: Pick<TagTables, "indexes">,
  { collection }: Address,
  tags: readonly Tag[],
): readonly Tag[] {
  return tags.filter(({ index, tag }) => {
    const row = indexes.get(index);
    if (row === undefined || row.state === "dropped" || row.collection !== collection) return false;
    if (row.isUnique) requireUniqueTag(tag);
    return true;
  });
}

/** A unique index whose tag another record has; undefined: none. */
export function takenIndex({ indexes, holders }: TagTables, record: string, tags: readonly Tag[]): IndexId | undefined {
  return tags.find((tag) => {
    const holder = indexes.get(tag.index)?.isUnique === true ? (holders.get(tagKey(tag)) ?? "") : "";
    return holder !== "" && holder !== record;
  })?.index;
}

/** Notes that the record has these of the unique tags, and none of those of before. */
export function holdTags(
  { indexes, holders }: TagTables,
  record: string,
  before: readonly Tag[],
  tags: readonly Tag[],
): void {
  for (const tag of before) if (holders.get(tagKey(tag)) === record) holders.set(tagKey(tag), "");
  for (const tag of tags) if (indexes.get(tag.index)?.isUnique === true) holders.set(tagKey(tag), record);
}
