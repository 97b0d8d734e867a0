/**
 * Tags of units as the arguments of the functions that write them. Which of them are of an index that is written, and
 * of a unique one, the database knows.
 */
import { VaultError } from "../../errors.ts";
import { isIndexId, requireUniqueTag } from "../index-limits.ts";
import type { IndexId, Tag } from "../indexes.ts";
import type { Unit } from "../units.ts";

/** What a record is found by from now on; undefined: no tag of it is touched. */
export const tagsOfUnit = (unit: Unit | undefined): readonly Tag[] | undefined =>
  unit?.change.kind === "write" ? unit.change.tags : undefined;

/** The bytes as they are now: they are sent when there is a connection. */
export const tagBytes = (tag: Uint8Array): Buffer => Buffer.from(tag);

/** The last arguments of `put_v4`. */
export const putTagArguments = (tags: readonly Tag[]): unknown[] => [
  tags.map(({ index }) => index),
  tags.map(({ tag }) => tagBytes(tag)),
];

/**
 * The last arguments of `apply_v5`: an index of a collection is named once.
 *
 * @param inOrder the same units in the order in which they have a tag that several want
 */
export function tagArguments(units: readonly Unit[], inOrder: readonly Unit[]): unknown[] {
  const tagged = units.flatMap((unit, index) => (tagsOfUnit(unit) === undefined ? [] : index + 1));
  const numbers = new Map(units.map((unit, index): readonly [Unit, number] => [unit, index + 1]));
  const tags = inOrder.flatMap((unit) =>
    (tagsOfUnit(unit) ?? []).map((tag) => ({
      ...tag,
      unit: numbers.get(unit),
      collection: unit.address.collection,
    })),
  );
  const names = new Map<string, { readonly index: IndexId; readonly collection: string; readonly nth: number }>();
  const nthOf = tags.map(({ index, collection }) => {
    const name = `${index}/${collection}`;
    const known = names.get(name) ?? { index, collection, nth: names.size + 1 };
    names.set(name, known);
    return known.nth;
  });
  return [
    tagged,
    [...names.values()].map(({ index }) => index),
    [...names.values()].map(({ collection }) => collection),
    tags.map(({ unit }) => unit),
    nthOf,
    tags.map(({ tag }) => tagBytes(tag)),
  ];
}

/** @throws VaultError `store-failed` where a function has refused a tag of a unique index */
export function requireWholeTags(result: unknown): void {
  if (result === "short-tag") requireUniqueTag(new Uint8Array());
}

/** @throws VaultError `store-altered` */
export function indexOf(id: unknown): IndexId {
  if (isIndexId(id)) return id;
  throw new VaultError("store-altered", "The database answered what no vault answers");
}
