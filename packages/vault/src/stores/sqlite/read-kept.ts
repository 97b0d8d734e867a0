/**
 * Kept messages in SQLite: found by bucket, counted by wrap set, each by an index that has no message in it. Rows are
 * as untrusted as all others: one of no version, or under no set, is on the list, and is no message to put back.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import { BUCKETS } from "../inventory.ts";
import { parseKeptPosition } from "../kept-limits.ts";
import type { KeptItem, KeptMessages } from "../kept.ts";
import type { VersionPlace } from "../rows.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { whole } from "./columns.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { versionItem } from "./version-item.ts";
import { placeOfNames, VERSION_NAMES } from "./version-inventory.ts";
import type { VersionNames } from "./version-inventory.ts";

/** The least and the greatest that a column can hold. */
const [LEAST, GREATEST] = [-9223372036854775808n, 9223372036854775807n] as const;
/** A hand can give every row a number of its own. */
const MOST_SETS = 10_000;

const ANY = statement((db, { set }: { readonly set: number }) =>
  sql<object>`select 1 from kept where wrap_set = ${set} limit 1`.compile(db),
);

/** Goes from one set's first entry to the next one's. */
const SETS = statement((db, _values: object) =>
  sql<{ readonly id: number }>`
    with recursive used(id) as (
      select min(wrap_set) from kept where wrap_set between 0 and ${sql.lit(Number.MAX_SAFE_INTEGER)}
      union all
      select (
        select min(wrap_set) from kept where wrap_set > used.id and wrap_set <= ${sql.lit(Number.MAX_SAFE_INTEGER)}
      ) from used where used.id is not null
    )
    select id from used where id is not null limit ${sql.lit(MOST_SETS)}`.compile(db),
);

const COUNT = statement((db, { set, most }: { readonly set: number; readonly most: number }) =>
  sql<{ readonly items: number }>`
    select count(*) as items from (select 1 from kept where wrap_set = ${set} limit ${most})`.compile(db),
);

export function countKept(connection: Connection, atMost: number): Awaited<ReturnType<KeptMessages["counts"]>> {
  return connection
    .all(SETS, {})
    .map(({ id }) => ({ id: id as WrapSetId, items: connection.first(COUNT, { set: id, most: atMost })?.items ?? 0 }));
}

export const anyKept = (connection: Connection, sets: readonly WrapSetId[]): boolean =>
  sets.some((set) => connection.first(ANY, { set }) !== undefined);

interface ListValues {
  readonly from: number | bigint;
  readonly to: number | bigint;
  readonly bucket: bigint;
  readonly key: bigint;
  readonly limit: number;
}

interface ListRow extends VersionNames {
  readonly bucket: string;
  readonly key: string;
  readonly wrap_set: string;
}

const LIST = statement((db, { from, to, bucket, key, limit }: ListValues) =>
  sql<ListRow>`
    select ${VERSION_NAMES}, cast(kept.bucket as text) as bucket, cast(kept.version_key as text) as key,
      cast(kept.wrap_set as text) as wrap_set
    from kept left join versions as own on own.key = kept.version_key left join records on records.record = own.record
    where kept.bucket between ${from} and ${to} and (kept.bucket, kept.version_key) > (${bucket}, ${key})
    order by kept.bucket, kept.version_key
    limit ${limit}`.compile(db),
);

export function listKept(
  connection: Connection,
  { buckets = { from: 0, to: BUCKETS }, after, limit }: Parameters<KeptMessages["list"]>[0],
): readonly KeptItem[] {
  const behind = after === null ? { bucket: LEAST, key: LEAST } : parseKeptPosition(after);
  if (behind === null) throw new VaultError("cursor-invalid", "The position is not one that this store gave out");
  if (buckets.from >= buckets.to) return [];
  // Rows whose bucket is none belong to whoever has the first or the last ones: somebody must find them.
  const from = buckets.from <= 0 ? LEAST : buckets.from;
  const to = buckets.to >= BUCKETS ? GREATEST : buckets.to - 1;
  return connection.all(LIST, { from, to, ...behind, limit }).map((row) => ({
    place: placeOfNames(row).place,
    wrapSet: Number(row.wrap_set) as WrapSetId,
    position: `${row.bucket} ${row.key}`,
  }));
}

const FIND = statement((db, { key }: { readonly key: bigint }) =>
  db
    .selectFrom("kept")
    .innerJoin("wrap_sets", "wrap_sets.id", "kept.wrap_set")
    .where("kept.version_key", "=", key)
    .where(sql<boolean>`length(kept.message) > 0`)
    .select(whole("kept.wrap_set", 0).as("wrapSet"))
    .compile(),
);

/** The number of the set that a version's kept message lies under; null: none is kept that a vault wrote. */
export function keptSet(connection: Connection, key: bigint): WrapSetId | null {
  return (connection.first(FIND, { key })?.wrapSet ?? null) as WrapSetId | null;
}

const MESSAGE = statement((db, { key }: { readonly key: bigint }) =>
  db.selectFrom("kept").where("version_key", "=", key).select("message").compile(),
);

/** Null where none is kept, or where its row holds what no vault writes. */
export function readKept(connection: Connection, place: VersionPlace): Awaited<ReturnType<KeptMessages["read"]>> {
  const found = versionItem(connection, place);
  if (found === undefined) return null;
  const key = BigInt(found.key);
  const wrapSet = keptSet(connection, key);
  return wrapSet === null ? null : { message: connection.one(MESSAGE, { key }).message, wrapSet };
}
