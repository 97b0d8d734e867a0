/**
 * What is asked of indexes and their tags, checked and copied at the call, the same on every store.
 */
import { isCollection, parseAddress, parseCollection, parseVersion } from "../records/address.ts";
import type { Address } from "../records/address.ts";
import { bytes, ownBytes, refused, someBytes, whole, wholeNumber } from "./checked.ts";
import { MAX_TAGS } from "./indexes.ts";
import type { Filling, IndexId, IndexRow, Tag, TagQuery } from "./indexes.ts";
import type { Lease } from "./jobs.ts";

/** Bytes of a tag. */
export const TAG_BYTES = { least: 8, most: 32, unique: 32 } as const;
/** Most rows of one change, fillings of one call, and records that tags are taken from in one call. */
export const MAX_CHANGED = 1000;
/** Most tags that one call of a purge takes away. */
export const MAX_PURGED = 10_000;
/** Most characters of an index's name. */
export const MAX_INDEX_NAME = 128;

const MOST = { terms: 8, tags: 64, page: 1000, position: 1024 } as const;
const INDEX_ID = /^[0-9a-f]{32}$/;
const STATES: readonly unknown[] = ["building", "ready", "dropped"];

/** Whether a text is the id of an index. */
export const isIndexId = (value: unknown): value is IndexId => typeof value === "string" && INDEX_ID.test(value);

/** @throws RangeError */
export function indexId(value: IndexId): IndexId {
  if (isIndexId(value)) return value;
  throw new RangeError("the id of an index is none");
}

/** By what a tag is told from others. */
export const tagKey = ({ index, tag }: Tag): string =>
  `${index}/${Buffer.from(tag.buffer, tag.byteOffset, tag.length).toString("hex")}`;

/**
 * A unit's tags, each once; the bytes stay the caller's. Left out stays left out.
 *
 * @throws RangeError
 */
export function checkTags(tags: readonly Tag[] | undefined): readonly Tag[] | undefined {
  if (tags === undefined) return undefined;
  requireAtMost(tags, MAX_TAGS, "tags of a record");
  const own = new Map<string, Tag>();
  for (const { index, tag } of tags) {
    const checked = { index: indexId(index), tag: someBytes(tag, TAG_BYTES.least, TAG_BYTES.most) };
    own.set(tagKey(checked), checked);
  }
  return [...own.values()];
}

/** The same in memory of their own. @throws RangeError */
export function takeTags(tags: readonly Tag[] | undefined): readonly Tag[] | undefined {
  return checkTags(tags)?.map(({ index, tag }) => ({ index, tag: bytes(tag, TAG_BYTES.least, TAG_BYTES.most) }));
}

/** A tag of a unique index has all of its bytes: short ones meet by chance. @throws VaultError `store-failed` */
export function requireUniqueTag({ length }: Uint8Array): void {
  if (length !== TAG_BYTES.unique) throw refused(`a tag of a unique index has ${TAG_BYTES.unique} bytes`);
}

/** @throws VaultError `store-failed` */
export function takeIndexRows(rows: readonly IndexRow[]): readonly IndexRow[] {
  return whole(() => {
    requireAtMost(rows, MAX_CHANGED, "indexes of one change");
    const own = rows.map(takeIndexRow);
    if (new Set(own.map(({ id }) => id)).size < own.length) throw new RangeError("an index is in it twice");
    return own;
  });
}

function takeIndexRow({ id, collection, name, isUnique, state }: IndexRow): IndexRow {
  if (typeof (isUnique as unknown) !== "boolean" || !STATES.includes(state))
    throw new RangeError("an index is unique or not, and has a state");
  if (!isIndexName(name)) throw new RangeError(`an index has a name of 1 to ${MAX_INDEX_NAME} characters`);
  return { id: indexId(id), collection: parseCollection(collection), name, isUnique, state };
}

/** Whether a value is the name of an index. */
export function isIndexName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length >= 1 &&
    value.length <= MAX_INDEX_NAME &&
    value.isWellFormed() &&
    !value.includes("\0")
  );
}

/**
 * What an index is never changes, but its state; and one that was dropped comes back only when its row is gone: what it
 * still has of tags is old.
 *
 * @throws VaultError `store-failed`
 */
export function requireSameIndex(before: IndexRow | undefined, { collection, name, isUnique, state }: IndexRow): void {
  if (before === undefined) return;
  if (before.collection !== collection || before.name !== name || before.isUnique !== isUnique)
    throw refused("an index is another one than before");
  if (before.state === "dropped" && state !== "dropped")
    throw refused("an index that was dropped comes back before its tags are gone");
}

/** What a query asks for, without its page. */
export type TagTerms = Pick<TagQuery, "collection" | "terms">;

/** @throws VaultError `store-failed` */
export function takeTerms({ collection, terms }: TagTerms): TagTerms {
  return whole(() => {
    requireSome(terms, MOST.terms, "terms of a query");
    const own = terms.map((tags) => {
      requireSome(tags, MOST.tags, "tags of a term");
      return takeTags(tags) ?? [];
    });
    return { collection: parseCollection(collection), terms: own };
  });
}

/** @throws VaultError `store-failed` */
export function takeQuery({ after, limit, ...terms }: TagQuery): TagQuery {
  return {
    ...takeTerms(terms),
    ...whole(() => ({
      after: after === null ? null : bytes(after, 0, MOST.position),
      limit: numberUpTo(limit, MOST.page),
    })),
  };
}

/** How many are counted at most. @throws VaultError `store-failed` */
export const takeMost = (most: number): number => whole(() => wholeNumber(most, 0));

/** Fillings as they are checked; the bytes of their tags stay the caller's. */
export interface Fill {
  readonly fillings: readonly Filling[];
  readonly lease: Lease | null;
}

/** @throws VaultError `store-failed` */
export function checkFill({ fillings, lease }: Fill): Fill {
  return whole(() => {
    requireAtMost(fillings, MAX_CHANGED, "fillings of one call");
    return {
      fillings: fillings.map(checkFilling),
      lease: lease === null ? null : { job: lease.job, partition: lease.partition, fence: lease.fence },
    };
  });
}

/** The same, with bytes of its own. @throws VaultError `store-failed` */
export function takeFill(fill: Fill): Fill {
  const { fillings, lease } = checkFill(fill);
  return { fillings: fillings.map((filling) => ({ ...filling, tags: filling.tags.map(ownBytes) })), lease };
}

function checkFilling({ address, index, tags, seen, epoch }: Filling): Filling {
  const own = checkTags(tags.map((tag) => ({ index, tag }))) ?? [];
  return {
    address: parseAddress(address),
    index: indexId(index),
    tags: own.map(({ tag }) => tag),
    seen: parseVersion(seen),
    epoch,
  };
}

/** @throws VaultError `store-failed` */
export function takeAddresses(addresses: readonly Address[]): readonly Address[] {
  return whole(() => {
    requireAtMost(addresses, MAX_CHANGED, "records of one call");
    return addresses.map(parseAddress);
  });
}

/** A purge. */
export interface Purge {
  readonly index: IndexId;
  readonly limit: number;
}

/** @throws VaultError `store-failed` */
export function takePurge({ index, limit }: Purge): Purge {
  return whole(() => ({ index: indexId(index), limit: numberUpTo(limit, MAX_PURGED) }));
}

/** An index row as it was found; null: it is none. A state that is none is one in which nothing is found by it. */
export function foundIndexRow(row: {
  readonly id: unknown;
  readonly collection: unknown;
  readonly name: unknown;
  readonly isUnique: boolean;
  readonly state: unknown;
}): IndexRow | null {
  const { id, collection, name, isUnique, state } = row;
  if (!isIndexId(id) || !isCollection(collection) || !isIndexName(name)) return null;
  return { id, collection, name, isUnique, state: STATES.includes(state) ? (state as IndexRow["state"]) : "building" };
}

function numberUpTo(value: number, most: number): number {
  if (wholeNumber(value, 1) <= most) return value;
  throw new RangeError(`a number is at most ${most}, not ${value}`);
}

function requireSome(list: readonly unknown[], most: number, what: string): void {
  if (list.length === 0) throw new RangeError(`${what} are none`);
  requireAtMost(list, most, what);
}

function requireAtMost({ length }: readonly unknown[], most: number, what: string): void {
  if (!Number.isSafeInteger(length) || length > most)
    throw new RangeError(`${what} are at most ${most}, not ${length}`);
}
