/**
 * Records by their tags. Those of a tag come in the order of their numbers, so that what several tags have in common is
 * found by going along all of them at once, each from where the others are: a part of each is in memory, whatever its
 * size. What is found is held against the record's own rows: a tag that a hand has put there finds nothing by itself.
 */
import { sql } from "kysely";
import type { Address, Collection } from "../../records/address.ts";
import type { TagTerms } from "../index-limits.ts";
import type { IndexId, Tag, TagFrequency, TaggedRecord, TagQuery } from "../indexes.ts";
import { foundName, foundSealedId, nameBytes, rowNumber, sealedIdBytes, whole } from "./columns.ts";
import { findIndex, writtenIndexes } from "./index-rows.ts";
import type { NumberedIndex } from "./index-rows.ts";
import { LEAST_NUMBER, numberAt, positionOf } from "./row-positions.ts";
import { statement } from "./statements.ts";
import type { Connection, Statement } from "./statements.ts";

interface From {
  readonly index: bigint;
  readonly tag: Uint8Array;
  readonly from: bigint;
}

/** The last number that a row can have. */
const GREATEST = 9223372036854775807n;

/** Records that are read of a tag at once: a few first, as most tags have no more. */
const [FEW, MANY] = [16, 512] as const;

const recordsFrom = (table: "tags" | "unique_tags", limit: number): Statement<From, { readonly found: string }> =>
  statement((db, { index, tag, from }: From) =>
    db
      .selectFrom(table)
      .where("index_number", "=", index)
      .where("tag", "=", tag)
      .where("record", ">=", from)
      // By another name: in their order as texts they would not be in that of their numbers.
      .select(rowNumber("record").as("found"))
      .orderBy("record")
      .limit(sql.lit(limit))
      .compile(),
  );

const FIRST = recordsFrom("tags", FEW);
const NEXT = recordsFrom("tags", MANY);
const UNIQUE = recordsFrom("unique_tags", 1);

/** The records of one tag, upwards. */
class TaggedRows {
  readonly #connection: Connection;
  readonly #index: NumberedIndex;
  readonly #tag: Uint8Array;
  #records: readonly bigint[] = [];
  #at = 0;
  #reads = 0;
  #isLast = false;

  constructor(connection: Connection, index: NumberedIndex, tag: Uint8Array) {
    this.#connection = connection;
    this.#index = index;
    this.#tag = tag;
  }

  /** The first of them from this number on; null: there is none. Asked for ever higher ones. */
  from(number: bigint): bigint | null {
    for (;;) {
      for (; this.#at < this.#records.length; this.#at++) {
        const record = this.#records[this.#at] ?? GREATEST;
        if (record >= number) return record;
      }
      if (this.#isLast) return null;
      this.#read(number);
    }
  }

  #read(from: bigint): void {
    const { number: index, isUnique } = this.#index;
    const limit = isUnique ? 1 : this.#reads === 0 ? FEW : MANY;
    const query = isUnique ? UNIQUE : limit === FEW ? FIRST : NEXT;
    this.#records = this.#connection.all(query, { index, tag: this.#tag, from }).map(({ found }) => BigInt(found));
    this.#at = 0;
    this.#reads += 1;
    this.#isLast = isUnique || this.#records.length < limit;
  }
}

/** The first record from a number on that any of the tags has; null: there is none. */
function anyFrom(tags: readonly TaggedRows[], number: bigint): bigint | null {
  let least: bigint | null = null;
  for (const tag of tags) {
    const record = tag.from(number);
    if (record !== null && (least === null || record < least)) least = record;
    if (least === number) break;
  }
  return least;
}

/** The numbers of records that have a tag of each term, upwards, behind a number; nothing is known of them yet. */
function* recordsBehind(
  connection: Connection,
  { collection, terms }: TagTerms,
  after: bigint | null,
): Generator<bigint> {
  const indexes = writtenIndexes(connection, collection);
  const rows = terms.map((tags) => rowsOf(connection, indexes, tags));
  if (after === GREATEST) return;
  for (let number = after === null ? LEAST_NUMBER : after + 1n; ; number += 1n) {
    for (let agreed = 0; agreed < rows.length;) {
      agreed = 0;
      for (const tags of rows) {
        const record = anyFrom(tags, number);
        if (record === null) return;
        if (record > number) {
          number = record;
          break;
        }
        agreed += 1;
      }
    }
    yield number;
    if (number === GREATEST) return;
  }
}

function rowsOf(
  connection: Connection,
  indexes: ReadonlyMap<IndexId, NumberedIndex>,
  tags: readonly Tag[],
): readonly TaggedRows[] {
  return tags.flatMap(({ index: id, tag }) => {
    const index = indexes.get(id);
    return index === undefined ? [] : new TaggedRows(connection, index, tag);
  });
}

interface OfRecord {
  readonly record: bigint;
  readonly collection: Collection;
}

const FOUND = statement((db, { record, collection }: OfRecord) =>
  db
    .selectFrom("records")
    .innerJoin("heads", "heads.record", "records.record")
    .where("records.record", "=", record)
    .where("records.collection", "=", collection)
    .where("heads.state", "=", "live")
    .select([nameBytes("records.id").as("id"), sealedIdBytes("heads.sealed_id").as("sealed_id")])
    .compile(),
);

/** What is found of a record. */
interface FoundRecord {
  readonly id: Uint8Array | null;
  readonly sealed_id: Uint8Array | null;
}

interface FoundOfTag extends FoundRecord {
  readonly found: string;
}

/** Of one tag, all in one statement, in the order of its rows: `cross join` keeps them in it. */
const oneTag = (table: "tags" | "unique_tags"): Statement<From & Pick<OfRecord, "collection">, FoundOfTag> =>
  statement((db, { index, tag, from, collection }) =>
    sql<FoundOfTag>`
      select ${rowNumber("tagged.record")} as found, ${nameBytes("records.id")} as id,
        ${sealedIdBytes("heads.sealed_id")} as sealed_id
      from ${sql.table(table)} as tagged
      cross join records on records.record = tagged.record
      cross join heads on heads.record = tagged.record
      where tagged.index_number = ${index} and tagged.tag = ${tag} and tagged.record >= ${from}
        and records.collection = ${collection} and heads.state = 'live'
      order by tagged.record`.compile(db),
  );

const [ONE_TAG, ONE_UNIQUE] = [oneTag("tags"), oneTag("unique_tags")] as const;

/** Names that are none are given as they are, cut. @throws VaultError `cursor-invalid` */
export function findTagged(connection: Connection, { after, limit, ...terms }: TagQuery): readonly TaggedRecord[] {
  const behind = after === null ? null : numberAt(after);
  const only = onlyTag(terms);
  if (only !== null) return findOne(connection, only, { collection: terms.collection, behind, limit });
  const found: TaggedRecord[] = [];
  for (const record of recordsBehind(connection, terms, behind)) {
    const row = connection.first(FOUND, { record, collection: terms.collection });
    if (row !== undefined) found.push(taggedRecord(record, row));
    if (found.length >= limit) break;
  }
  return found;
}

interface Page {
  readonly collection: Collection;
  readonly behind: bigint | null;
  readonly limit: number;
}

/** All that one tag needs to know of its index. A state that is none is not `dropped`. */
const INDEX = statement((db, { id, collection }: { readonly id: IndexId; readonly collection: Collection }) =>
  db
    .selectFrom("indexes")
    .where("id", "=", id)
    .where("collection", "=", collection)
    .where("state", "is not", "dropped")
    .where(sql<boolean>`name <> ''`)
    .select([rowNumber("number").as("number"), sql<number>`is_unique is not 0`.as("is_unique")])
    .compile(),
);

/** What nearly every search is: of one field, one value. */
function findOne(connection: Connection, tag: Tag, { limit, ...asked }: Page): TaggedRecord[] {
  const found: TaggedRecord[] = [];
  for (const { found: record, ...row } of rowsOfOne(connection, tag, asked)) {
    found.push(taggedRecord(BigInt(record), row));
    if (found.length >= limit) break;
  }
  return found;
}

function rowsOfOne(
  connection: Connection,
  { index: id, tag }: Tag,
  { collection, behind }: Omit<Page, "limit">,
): Iterable<FoundOfTag> {
  const index = connection.first(INDEX, { id, collection });
  if (index === undefined || behind === GREATEST) return [];
  const from = behind === null ? LEAST_NUMBER : behind + 1n;
  const values = { index: BigInt(index.number), tag, from, collection };
  return connection.each(index.is_unique === 1 ? ONE_UNIQUE : ONE_TAG, values);
}

/** The one tag that is asked for; null: there are more, or none. */
function onlyTag({ terms: [tags = [], ...others] }: TagTerms): Tag | null {
  const [first, ...more] = tags;
  return first !== undefined && more.length === 0 && others.length === 0 ? first : null;
}

const taggedRecord = (record: bigint, { id, sealed_id: sealed }: FoundRecord): TaggedRecord => ({
  id: foundName(id).text,
  sealedId: foundSealedId(sealed),
  position: positionOf(record),
});

export function countTagged(connection: Connection, terms: TagTerms, most: number): number {
  if (most === 0) return 0;
  const { collection } = terms;
  const only = onlyTag(terms);
  const found: IteratorObject<unknown> =
    only === null
      ? recordsBehind(connection, terms, null).filter(
          (record) => connection.first(FOUND, { record, collection }) !== undefined,
        )
      : Iterator.from(rowsOfOne(connection, only, { collection, behind: null }));
  return found.take(most).reduce<number>((count) => count + 1, 0);
}

const LIVE_HEAD = statement((db, { collection, id }: Address) =>
  db
    .selectFrom("records")
    .innerJoin("heads", "heads.record", "records.record")
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("heads.state", "=", "live")
    .select([rowNumber("records.record").as("record"), whole("heads.version").as("version")])
    .compile(),
);

/** A record that has a live head; null: there is none. */
export function liveRecord(
  connection: Connection,
  address: Address,
): { readonly record: bigint; readonly version: number | null } | null {
  const found = connection.first(LIVE_HEAD, address);
  return found === undefined ? null : { record: BigInt(found.record), version: found.version };
}

const OF_RECORD = statement((db, { record }: Pick<OfRecord, "record">) =>
  sql<{ readonly id: string; readonly tag: Uint8Array }>`
    select indexes.id as id, found.tag as tag
    from (select index_number, tag, 0 as is_unique from tags where record = ${record}
      union all select index_number, tag, 1 as is_unique from unique_tags where record = ${record}) as found
    join indexes on indexes.number = found.index_number and indexes.is_unique = found.is_unique
    where octet_length(indexes.id) = 32 and octet_length(found.tag) between 8 and 32`.compile(db),
);

/** Null: it has no live head. What a hand has made of them that no vault writes is left out. */
export function tagsOfRecord(connection: Connection, address: Address): readonly Tag[] | null {
  const head = liveRecord(connection, address);
  if (head === null) return null;
  return connection.all(OF_RECORD, { record: head.record }).map(({ id, tag }) => ({ index: id as IndexId, tag }));
}

const FREQUENCIES = statement((db, { index }: Pick<From, "index">) =>
  sql<{ readonly records: number; readonly tags: number }>`
    select records, count(*) as tags from (
      select count(*) as records from (
        select tag from tags where index_number = ${index}
        union all select tag from unique_tags where index_number = ${index}) group by tag)
    group by records order by records`.compile(db),
);

/** Reads the whole index. */
export function tagFrequencies(connection: Connection, id: IndexId): readonly TagFrequency[] {
  const index = findIndex(connection, id);
  if (index === null) return [];
  return connection.all(FREQUENCIES, { index: index.number }).map(({ records, tags }) => ({ records, tags }));
}
