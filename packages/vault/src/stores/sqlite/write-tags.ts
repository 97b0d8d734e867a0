/**
 * Tags, within the writer's transaction. Of a record's tags only the difference is written. Who has a unique tag is
 * looked for before anything of a call is changed: what one unit gives up is not free for another one.
 */
import { sql } from "kysely";
import type { Address, Collection } from "../../records/address.ts";
import { refused } from "../checked.ts";
import { requireUniqueTag, tagKey } from "../index-limits.ts";
import type { Purge } from "../index-limits.ts";
import type { FillResult, IndexId, Tag } from "../indexes.ts";
import type { Lease } from "../jobs.ts";
import { rowNumber } from "./columns.ts";
import { liveRecord } from "./find-tagged.ts";
import { readGate } from "./gate-row.ts";
import { dropIndexRow, findIndex, writtenIndexes } from "./index-rows.ts";
import type { NumberedIndex } from "./index-rows.ts";
import { statement } from "./statements.ts";
import type { Connection, Statement } from "./statements.ts";
import { foundTags } from "./tags-taken.ts";
import type { TakenTags } from "./tags-taken.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";
import type { TakenFilling } from "./units-taken.ts";
import { isHeld } from "./write-jobs.ts";

/** Where tags lie. */
type TagTableName = "tags" | "unique_tags";
const TABLES = ["tags", "unique_tags"] as const;
const tableOf = ({ isUnique }: NumberedIndex): TagTableName => (isUnique ? "unique_tags" : "tags");

interface RecordKey {
  readonly record: bigint;
}

interface TagRow extends RecordKey {
  readonly index: bigint;
  readonly tag: Uint8Array;
}

/** A statement for each of the two tables. */
const ofBoth = <Values extends object, Row>(
  make: (table: TagTableName) => Statement<Values, Row>,
): Readonly<Record<TagTableName, Statement<Values, Row>>> => ({ tags: make("tags"), unique_tags: make("unique_tags") });

const OF_RECORD = ofBoth((table) =>
  statement((db, { record }: RecordKey) =>
    db
      .selectFrom(table)
      .where("record", "=", record)
      .select([rowNumber("index_number").as("index"), sql<string>`hex(tag)`.as("tag")])
      .compile(),
  ),
);

const ADD = ofBoth((table) =>
  statement((db, { index, tag, record }: TagRow) =>
    db
      .insertInto(table)
      .values({ index_number: index, tag, record })
      .onConflict((conflict) => conflict.doNothing())
      .compile(),
  ),
);

const DROP = ofBoth((table) =>
  statement((db, { index, tag, record }: TagRow) =>
    db
      .deleteFrom(table)
      .where("index_number", "=", index)
      .where("tag", "=", tag)
      .where("record", "=", record)
      .compile(),
  ),
);

const DROP_OF_RECORD = ofBoth((table) =>
  statement((db, { record }: RecordKey) => db.deleteFrom(table).where("record", "=", record).compile()),
);

const HOLDER = statement((db, { index, tag }: Omit<TagRow, "record">) =>
  db
    .selectFrom("unique_tags")
    .where("index_number", "=", index)
    .where("tag", "=", tag)
    .select(rowNumber("record").as("record"))
    .compile(),
);

function holderOf(connection: Connection, { number }: NumberedIndex, tag: Uint8Array): bigint | null {
  const found = connection.first(HOLDER, { index: number, tag });
  return found === undefined ? null : BigInt(found.record);
}

/** A tag that is written, of its index. */
interface WrittenTag {
  readonly index: NumberedIndex;
  readonly tag: Uint8Array;
}

/** All of a record's tags; false: it has any. */
export function dropTagsOfRecord(connection: Connection, record: bigint): number {
  return TABLES.reduce((sum, table) => sum + connection.run(DROP_OF_RECORD[table], { record }), 0);
}

/**
 * Puts the tags in the place of those that the record has, of one index or of all.
 *
 * @returns a unique index, one of whose tags is another record's by now; null: they are its own
 */
function replaceTags(
  connection: Connection,
  record: bigint,
  tags: readonly WrittenTag[],
  only: bigint | null,
): IndexId | null {
  const wanted = new Map(tags.map((one) => [`${tableOf(one.index)} ${one.index.number} ${hexOf(one.tag)}`, one]));
  for (const table of TABLES)
    for (const { index, tag } of connection.all(OF_RECORD[table], { record })) {
      if (only !== null && BigInt(index) !== only) continue;
      if (wanted.delete(`${table} ${index} ${tag}`)) continue;
      connection.run(DROP[table], { record, index: BigInt(index), tag: Buffer.from(tag, "hex") });
    }
  for (const { index, tag } of wanted.values())
    if (connection.run(ADD[tableOf(index)], { record, index: index.number, tag }) !== 1) return index.id;
  return null;
}

/** As SQLite's `hex` writes it. */
const hexOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString("hex").toUpperCase();

/** The tags of the units of one call. */
export class UnitTags {
  readonly #connection: Connection;
  readonly #tags: readonly (readonly WrittenTag[] | null)[];
  /** A unique tag -> who had it as the call began; of one unit nothing, as nobody gives one up before it. */
  readonly #holders = new Map<string, bigint>();

  /** @param units in their order; nothing of them is made yet */
  constructor(connection: Connection, units: readonly { readonly address: Address }[], taken: TakenTags) {
    this.#connection = connection;
    const indexes = new Map<Collection, ReadonlyMap<IndexId, NumberedIndex>>();
    const found = foundTags(taken);
    const areSeveral = units.length > 1;
    this.#tags = units.map(({ address: { collection } }, number) => {
      const tags = found[number] ?? null;
      if (tags === null) return null;
      const written = indexes.get(collection) ?? writtenIndexes(connection, collection);
      indexes.set(collection, written);
      return tags.flatMap((one) => {
        const index = written.get(one.index);
        if (index === undefined) return [];
        if (areSeveral && index.isUnique) this.#noteHolder(one, index);
        return [{ index, tag: one.tag }];
      });
    });
  }

  #noteHolder(one: Tag, index: NumberedIndex): void {
    const holder = holderOf(this.#connection, index, one.tag);
    if (holder !== null) this.#holders.set(tagKey(one), holder);
  }

  /**
   * Puts a unit's tags in the place of all that its record has. Null: they are its own, or none is touched.
   *
   * @throws VaultError `store-failed` of a unique tag that is too short
   */
  keep(unit: number, record: bigint): { readonly kind: "taken"; readonly index: IndexId } | null {
    const tags = this.#tags[unit] ?? null;
    if (tags === null) return null;
    for (const { index, tag } of tags) {
      if (!index.isUnique) continue;
      requireUniqueTag(tag);
      if ((this.#holders.get(tagKey({ index: index.id, tag })) ?? record) !== record)
        return { kind: "taken", index: index.id };
    }
    const index = replaceTags(this.#connection, record, tags, null);
    return index === null ? null : { kind: "taken", index };
  }
}

/** Each filling for itself. */
export function fillTags(
  connection: Connection,
  { fillings, lease }: { readonly fillings: readonly TakenFilling[]; readonly lease: Lease | null },
  taken: TakenTags,
): readonly FillResult[] | Undone<readonly FillResult[]> {
  const { epoch } = readGate(connection);
  const isOwn = lease === null || isHeld(connection, lease);
  const tags = foundTags(taken);
  const indexes = new Map<IndexId, NumberedIndex | null>();
  const results = fillings.map((filling, number): FillResult => {
    if (filling.epoch !== epoch) return "gate-moved";
    if (!isOwn) return "overtaken";
    const { index: id } = filling;
    const known = indexes.get(id);
    const index = known === undefined ? findIndex(connection, id) : known;
    indexes.set(id, index);
    return fillOne(connection, filling, index, tags[number] ?? []);
  });
  return changed(results, results.includes("filled"));
}

function fillOne(
  connection: Connection,
  { address, seen }: TakenFilling,
  index: NumberedIndex | null,
  tags: readonly Tag[],
): FillResult {
  if (index === null || index.state === "dropped" || index.collection !== address.collection) return "overtaken";
  const head = liveRecord(connection, address);
  if (head?.version !== seen) return "overtaken";
  const { record } = head;
  // Before anything is changed: the others of the call are made all the same.
  if (index.isUnique)
    for (const { tag } of tags) {
      requireUniqueTag(tag);
      if ((holderOf(connection, index, tag) ?? record) !== record) return "taken";
    }
  const written = tags.map(({ tag }) => ({ index, tag }));
  return replaceTags(connection, record, written, index.number) === null ? "filled" : "taken";
}

const RECORD = statement((db, { collection, id }: Address) =>
  db
    .selectFrom("records")
    .where("collection", "=", collection)
    .where("id", "=", id)
    .select(rowNumber("record").as("record"))
    .compile(),
);

/** Whatever their heads are. */
export function forgetTags(connection: Connection, addresses: readonly Address[]): undefined | Undone<undefined> {
  let gone = 0;
  for (const address of addresses) {
    const found = connection.first(RECORD, address);
    if (found !== undefined) gone += dropTagsOfRecord(connection, BigInt(found.record));
  }
  return changed(undefined, gone > 0);
}

const PURGE = ofBoth((table) =>
  statement((db, { index, limit }: { readonly index: bigint; readonly limit: number }) =>
    sql`delete from ${sql.table(table)} where (index_number, tag, record) in (
      select index_number, tag, record from ${sql.table(table)} where index_number = ${index} limit ${limit})`.compile(
      db,
    ),
  ),
);

/** Answers how many went; 0: all are gone, and the index's row with them. @throws VaultError `store-failed` */
export function purgeTags(connection: Connection, { index: id, limit }: Purge): number | Undone<number> {
  const index = findIndex(connection, id);
  if (index === null) return changed(0, false);
  if (index.state !== "dropped") throw refused("tags of an index that was not dropped do not go");
  let gone = 0;
  for (const table of TABLES)
    if (gone < limit) gone += connection.run(PURGE[table], { index: index.number, limit: limit - gone });
  if (gone === 0) dropIndexRow(connection, index.number);
  return gone;
}
