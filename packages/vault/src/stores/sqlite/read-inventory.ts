/**
 * The inventory in SQLite, of versions or of keys, found by the index of wrap set, bucket and `since`. What it lists is
 * as untrusted as all rows: an item whose row holds what no vault writes is among the others, without a place.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { VaultError } from "../../errors.ts";
import { BUCKETS } from "../inventory.ts";
import type { Failure, InventoryItem, InventoryPage, WrapSetCount } from "../inventory.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { moment } from "./columns.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** The least and the greatest that a column can hold. */
const [LEAST, GREATEST] = [-9223372036854775808n, 9223372036854775807n] as const;
/** The first and the last moment that is a date, in milliseconds. */
const LAST_MOMENT = 8_640_000_000_000_000;
/** No wait is longer: a moment further away was not written by a vault, and hides nothing. */
export const LONGEST_WAIT_MS: number = 30 * 24 * 3600 * 1000;

/** A count that is one: what is negative or beyond it is taken for the greatest, and never added to beyond that. */
const MOST_COUNTED = 1_000_000;
export const counted = (column: string): RawBuilder<number> =>
  sql<number>`iif(${sql.ref(column)} between 0 and ${sql.lit(MOST_COUNTED)}, ${sql.ref(column)}, ${sql.lit(MOST_COUNTED)})`;

/** In which table the items of an inventory lie. */
export type ItemTable = "versions" | "keys";

/** What is selected of an item beside its names. */
interface ItemColumns {
  readonly bucket: string;
  readonly since: string;
  readonly key: string;
  readonly attempts: number;
  readonly code: string | null;
  readonly at: string | null;
}

/** How an item is named. */
export interface ItemNames<Names, Place> {
  /** Joins what has the names, to the table itself. */
  readonly join: RawBuilder<unknown>;
  readonly columns: RawBuilder<unknown>;
  readonly nameOf: (row: Names) => Pick<InventoryItem<Place>, "place" | "collection" | "id">;
}

interface ListValues {
  readonly set: number;
  /** The first bucket, and the last one: of the ends of the range, whatever lies beyond is in it too. */
  readonly from: number | bigint;
  readonly to: number | bigint;
  readonly bucket: bigint;
  readonly since: bigint;
  readonly key: bigint;
  /** What is due later is left out, unless it is so late that no vault wrote it. Null: nothing is. */
  readonly now: number | null;
  readonly limit: number;
}

/** The reads of an inventory, each within the caller's snapshot. */
export interface InventoryReads<Place> {
  /** Whether any item has one of these sets. */
  readonly any: (connection: Connection, sets: readonly WrapSetId[]) => boolean;
  readonly counts: (connection: Connection, sets: readonly WrapSetId[], atMost: number) => readonly WrapSetCount[];
  readonly list: (connection: Connection, page: InventoryPage, now: number) => readonly InventoryItem<Place>[];
  /** Those whose last repair failed, in the order of their keys. */
  readonly failed: (
    connection: Connection,
    page: Pick<InventoryPage, "after" | "limit">,
  ) => readonly InventoryItem<Place>[];
}

/** Of the items in a table. */
export function inventoryReads<Names, Place>(
  name: ItemTable,
  { join, columns, nameOf }: ItemNames<Names, Place>,
): InventoryReads<Place> {
  const table = sql.table(name);

  const ANY = statement((db, { set }: { readonly set: number }) =>
    sql<object>`select 1 from ${table} where wrap_set = ${set} limit 1`.compile(db),
  );

  const COUNT = statement((db, { set, most }: { readonly set: number; readonly most: number }) =>
    sql<{ readonly items: number }>`
      select count(*) as items from (select 1 from ${table} where wrap_set = ${set} limit ${most})`.compile(db),
  );

  /** Goes from one bucket's first entry to the next one's: the index has them by bucket first. */
  const OLDEST = statement((db, { set }: { readonly set: number }) =>
    sql<{ readonly oldest: number | null }>`
      with recursive buckets(bucket) as (
        select min(bucket) from ${table} where wrap_set = ${set}
        union all
        select (select min(bucket) from ${table} where wrap_set = ${set} and bucket > buckets.bucket)
        from buckets where buckets.bucket is not null
        limit ${sql.lit(4 * BUCKETS)}
      )
      select min((
        select min(since) from ${table} as own
        where wrap_set = ${set} and own.bucket = buckets.bucket
          and since between ${sql.lit(-LAST_MOMENT)} and ${sql.lit(LAST_MOMENT)}
      )) as oldest
      from buckets where buckets.bucket is not null`.compile(db),
  );

  const LIST = statement((db, { set, from, to, bucket, since, key, now, limit }: ListValues) =>
    sql<ItemColumns & Names>`
      select ${columns},
        cast(own.bucket as text) as bucket, cast(own.since as text) as since, cast(own.key as text) as key,
        ${counted("failures.attempts")} as attempts,
        substr(failures.code, 1, 1024) as code, substr(failures.at, 1, 64) as at
      from ${table} as own ${join} left join failures on failures.version_key = own.key
      where own.wrap_set = ${set} and own.bucket between ${from} and ${to}
        and (own.bucket, own.since, own.key) > (${bucket}, ${since}, ${key})
        and (${now} is null or failures.due_at is null or failures.due_at <= ${now}
          or failures.due_at > ${now} + ${sql.lit(LONGEST_WAIT_MS)})
      order by own.bucket, own.since, own.key
      limit ${limit}`.compile(db),
  );

  const FAILED = statement((db, { key, limit }: { readonly key: bigint; readonly limit: number }) =>
    sql<ItemColumns & Names & { readonly set: number }>`
      select ${columns}, iif(abs(own.wrap_set) < ${sql.lit(2 ** 53)}, own.wrap_set, ${sql.lit(-1)}) as "set",
        cast(own.bucket as text) as bucket, cast(own.since as text) as since, cast(own.key as text) as key,
        ${counted("failures.attempts")} as attempts,
        substr(failures.code, 1, 1024) as code, substr(failures.at, 1, 64) as at
      from failures join ${table} as own on own.key = failures.version_key ${join}
      where failures.version_key > ${key}
      order by failures.version_key
      limit ${limit}`.compile(db),
  );

  return {
    any: (connection, sets) => sets.some((set) => connection.first(ANY, { set }) !== undefined),
    counts: (connection, sets, atMost) =>
      sets.map((id) => ({
        id,
        items: connection.first(COUNT, { set: id, most: atMost })?.items ?? 0,
        oldest: dateOf(connection.first(OLDEST, { set: id })?.oldest ?? null),
      })),
    list: (connection, { sets, buckets = { from: 0, to: BUCKETS }, after, limit, due }, now) => {
      const position = after === null ? null : parsePosition(after);
      let found: readonly InventoryItem<Place>[] = [];
      for (const set of [...new Set(sets)].sort((a, b) => a - b)) {
        if (found.length >= limit || buckets.from >= buckets.to) break;
        if (position !== null && BigInt(set) < position.set) continue;
        const behind = position !== null && BigInt(set) === position.set ? position : BEFORE_ALL;
        const rows = connection.all(LIST, {
          set,
          // Rows whose bucket is none belong to whoever has the first or the last ones: somebody must find them.
          from: buckets.from <= 0 ? LEAST : buckets.from,
          to: buckets.to >= BUCKETS ? GREATEST : buckets.to - 1,
          ...behind,
          now: due === true ? now : null,
          limit: limit - found.length,
        });
        found = [...found, ...rows.map((row) => itemOf(set, row, nameOf(row)))];
      }
      return found;
    },
    failed: (connection, { after, limit }) => {
      const key = after === null ? LEAST : parsePosition(after).key;
      return connection.all(FAILED, { key, limit }).map((row) => itemOf(row.set as WrapSetId, row, nameOf(row)));
    },
  };
}

function itemOf<Place>(
  set: WrapSetId,
  row: ItemColumns,
  names: Pick<InventoryItem<Place>, "place" | "collection" | "id">,
): InventoryItem<Place> {
  return {
    ...names,
    wrapSet: set,
    since: dateOf(Number(row.since)),
    failure: failureOf(row),
    position: [set, row.bucket, row.since, row.key].join(" "),
  };
}

function failureOf({ attempts, code, at }: ItemColumns): Failure | null {
  const when = moment(at);
  return code === null || when === null ? null : { attempts, code, at: when };
}

function dateOf(milliseconds: number | null): string | null {
  return milliseconds === null || Math.abs(milliseconds) > LAST_MOMENT ? null : new Date(milliseconds).toISOString();
}

/** Where a list goes on: each is any number that SQLite can hold. */
interface Position {
  readonly bucket: bigint;
  readonly since: bigint;
  readonly key: bigint;
}

const BEFORE_ALL: Position = { bucket: LEAST, since: LEAST, key: LEAST };
const POSITION = /^\d{1,19} -?\d{1,19} -?\d{1,19} -?\d{1,19}$/;

/** @throws VaultError `cursor-invalid` */
function parsePosition(text: string): Position & { readonly set: bigint } {
  const numbers = POSITION.test(text) ? text.split(" ").map(BigInt) : [];
  const [set, bucket, since, key] = numbers;
  if (
    set === undefined ||
    bucket === undefined ||
    since === undefined ||
    key === undefined ||
    numbers.some((one) => one !== BigInt.asIntN(64, one))
  )
    throw new VaultError("cursor-invalid", "The position is not one that this inventory gave out");
  return { set, bucket, since, key };
}
