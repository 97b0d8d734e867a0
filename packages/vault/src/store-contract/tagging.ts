/**
 * Short forms for what a store's contract says of indexes and tags.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { Address } from "../records/address.ts";
import type { Epoch } from "../stores/gate.ts";
import type { Filling, FillResult, IndexId, IndexRow, Tag } from "../stores/indexes.ts";
import type { Head } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import { at, live, PEOPLE, write } from "./changes.ts";
import type { WriteOptions, WriteUnit } from "./changes.ts";

/** An index that there was not before. */
export function newIndex(more: Partial<IndexRow> = {}): IndexRow {
  const id = randomBytes(16).toString("hex") as IndexId;
  return { id, collection: PEOPLE, name: "email", isUnique: false, state: "ready", ...more };
}

/** The tag of a value: 32 bytes. */
export const tagOf = ({ id }: Pick<IndexRow, "id">, value: string): Tag => ({
  index: id,
  tag: createHash("sha256").update(value).digest(),
});

/** Puts the rows in, at whatever epoch it is; answers the epoch from then on. */
export async function declare(store: Store, ...set: readonly IndexRow[]): Promise<Epoch> {
  const { epoch: from } = await store.gate.current();
  assert.equal(await store.indexes.change({ from, set }), "changed");
  return (from + 1) as Epoch;
}

/** Tags of a write; left out: none is touched. */
export type TaggedOptions = WriteOptions & { readonly tags?: readonly Tag[] };

/** A write of one version with its tags. */
export function writeTagged(
  address: Address,
  base: Head | null,
  number: number,
  { tags, ...more }: TaggedOptions,
): WriteUnit {
  const unit = write(address, base, number, more);
  return tags === undefined ? unit : { ...unit, change: { ...unit.change, tags } };
}

/** The first write of a record of people. */
export const first = (id: string, epoch: Epoch, ...tags: readonly Tag[]): WriteUnit =>
  writeTagged(at(id), null, 1, { at: epoch, tags });

/** The second. */
export const second = (id: string, epoch: Epoch, ...tags: readonly Tag[]): WriteUnit =>
  writeTagged(at(id), live(1), 2, { at: epoch, tags });

/** The ids of people that are found, sorted. */
export async function foundIn(store: Store, ...terms: readonly (readonly Tag[])[]): Promise<readonly string[]> {
  const found = await store.indexes.find({ collection: PEOPLE, terms, after: null, limit: 1000 });
  return found.map(({ id }) => id).sort();
}

/** A record's tags in one order, as texts; null: it has no live head. */
export async function tagsIn(store: Store, id: string): Promise<readonly string[] | null> {
  const tags = await store.indexes.tagsOf(at(id));
  return tags === null ? null : asTexts(...tags);
}

export const asTexts = (...tags: readonly Tag[]): readonly string[] =>
  tags.map(({ index, tag }) => `${index} ${Buffer.from(tag).toString("hex")}`).sort();

/** A filling of a record of people that was seen at its first version. */
export const filling = (id: string, epoch: Epoch, tags: readonly Tag[], more: Partial<Filling> = {}): Filling => ({
  address: at(id),
  index: tags[0]?.index ?? newIndex().id,
  tags: tags.map(({ tag }) => tag),
  seen: live(1).version,
  epoch,
  ...more,
});

/** What becomes of one filling that no job does. */
export async function fillOne(store: Store, one: Filling): Promise<FillResult | undefined> {
  const results = await store.indexes.fill([one], null);
  assert.equal(results.length, 1);
  return results[0];
}
