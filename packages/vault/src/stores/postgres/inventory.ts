/**
 * The inventory over one index, `(wrap_set, bucket, since, …)`: it is the order of the list, and its first entry of a
 * set is the proof that the set is still there. What is wrapped, versions or keys, is the {@link WrappedTable}'s.
 */
import { VaultError } from "../../errors.ts";
import type { Epoch } from "../gate.ts";
import { BUCKETS } from "../inventory.ts";
import type { Failure, Inventory, InventoryItem, InventoryPage, RewrapResult } from "../inventory.ts";
import { parseWrapSet } from "../wrap-set.ts";
import type { WrapSet, WrapSetId } from "../wrap-set.ts";
import type { Columns } from "./columns.ts";
import { foundName, isTrue, moment, text, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections, Statement } from "./connection.ts";
import { NOW } from "./functions/statements.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";
import { milliseconds } from "./units.ts";
import { internArguments, internStatement } from "./wrap-sets.ts";

/** What the inventory of one store needs. */
export interface InventoryContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  readonly vault: string;
  readonly lockTimeoutMs: number;
}

/** A table of what is wrapped. */
export interface WrappedTable<Place, Change> {
  readonly name: string;
  /** The columns by which a row is known, with how many bits a number of theirs has besides its sign. */
  readonly key: readonly { readonly column: string; readonly bits: bigint }[];
  /** Of a row `o`: joins, and the further columns of an item, among them `collection` and `id`. */
  readonly item: { readonly columns: string; readonly joins: string };
  /** Selects the key of the row `v` of a place that are the parameters from $5 on, and holds it. */
  readonly hold: string;
  readonly valuesOf: (place: Place) => readonly unknown[];
  /** Further tables whose rows name wrap sets. */
  readonly alsoNumbered?: readonly string[];
  /** Null: no vault writes it. */
  readonly placeOf: (row: Columns) => Place | null;
  /** What a change is made by. */
  readonly rewrap: Statement;
  readonly rewrapValues: (change: Change, context: Pick<InventoryContext, "vault" | "lockTimeoutMs">) => unknown[];
  readonly wrapSetOf: (change: Change) => WrapSet;
}

/** Each once, without those that no row can have. */
export const possible = (ids: readonly WrapSetId[]): readonly number[] =>
  [...new Set(ids)].filter((id) => Number.isSafeInteger(id) && Math.abs(id) < 2 ** 31);

/** A hand can give every version a number of its own. */
const MOST_WITHOUT_ROW = 1000;

/** A form that is longer is none that a vault writes. */
export const LONGEST_FORM = 1_000_000;

/** Most that a count of failures goes up to. */
const MOST_ATTEMPTS = 1_000_000;

export function postgresInventory<Place, Change>(
  context: InventoryContext,
  table: WrappedTable<Place, Change>,
): Inventory<Place, Change> {
  const { connections, schema, vault } = context;
  const wrapped = `${schema}.${table.name}`;
  const keys = table.key.map(({ column }) => column);
  const refusal = refusalColumn("$1::text");
  // Numbers that versions have and no row are among them: what is not known must not pass for nothing. They are found
  // from one number's first index entry to the next one's: `distinct` would read all versions.
  const numbered = [table.name, ...(table.alsoNumbered ?? [])];
  const used = numbered.map(
    (name, index) => `used_${index}(id) as (
      select min(v.wrap_set) from ${schema}.${name} v
      union all
      select (select min(v.wrap_set) from ${schema}.${name} v where v.wrap_set > used_${index}.id)
      from used_${index} where used_${index}.id is not null)`,
  );
  const sets = statement(`
    with recursive ${used.join(", ")},
    used(id) as (${numbered.map((_, index) => `select id from used_${index}`).join(" union ")}),
    all_sets as (
      select w.id, case when length(w.form) <= ${LONGEST_FORM} then w.form end as form from ${schema}.wrap_sets w
      union all (
        select used.id, null from used
        where used.id is not null and not exists (select from ${schema}.wrap_sets w where w.id = used.id)
        limit ${MOST_WITHOUT_ROW}))
    select ${refusal}, s.id, s.form from ${schema}.vault g left join all_sets s on true order by s.id`);
  const counts = statement(`
    select ${refusal}, u.id, c.items, o.oldest
    from ${schema}.vault g cross join unnest($2::integer[]) u(id)
    cross join lateral (
      select count(*) as items from (
        select from ${wrapped} v where v.wrap_set = u.id limit $3::bigint) found) c
    cross join lateral (
      select min(first.since) as oldest from generate_series(0, ${BUCKETS - 1}) b(bucket) cross join lateral (
        select v.since from ${wrapped} v where v.wrap_set = u.id and v.bucket = b.bucket
        order by v.since limit 1) first) o`);
  const any = statement(`
    select ${refusal}, exists (
      select from unnest($2::integer[]) u(id)
      where exists (select from ${wrapped} v where v.wrap_set = u.id)) as found
    from ${schema}.vault g`);
  const list = statement(listText(schema, refusal, table));
  const failed = statement(failedText(schema, refusal, table));
  // The lease's row is held until this ends; who takes it over comes after.
  const fail = statement(`
    with lease as materialized (
      select from ${schema}.job_partitions j
      where exists (select from ${schema}.vault g where g.id = $1::text)
        and j.job = $2::text and j.partition = $3::text and j.fence = $4::bigint and j.held
      for share),
    place as materialized (select ${keys.map((key) => `v.${key}`).join(", ")} from lease, ${table.hold} for share of v)
    insert into ${schema}.failures as f (${keys.join(", ")}, attempts, at, due_at, code)
    select ${keys.join(", ")}, 1, $9::bigint, ${NOW} + $10::bigint, $8::text from place
    on conflict (${keys.join(", ")}) do update set
      attempts = least(greatest(f.attempts, 0), ${MOST_ATTEMPTS - 1}) + 1,
      at = excluded.at, due_at = excluded.due_at, code = excluded.code`);

  return {
    async sets() {
      const rows = await connections.run(sets, [vault], "repeat");
      requireAccepted(rows);
      return rows.flatMap((row) => {
        const [id, form] = [whole(row["id"], -(2 ** 31)), text(row["form"])];
        return id === null ? [] : [{ id: id as WrapSetId, set: form === null ? null : parseWrapSet(form) }];
      });
    },
    async counts(ids, atMost) {
      const asked = possible(ids);
      const rows = asked.length === 0 ? [] : await connections.run(counts, [vault, asked, atMost], "repeat");
      if (asked.length > 0) requireAccepted(rows);
      const found = new Map(rows.map((row) => [whole(row["id"]), row]));
      return ids.map((id) => ({
        id,
        items: whole(found.get(id)?.["items"], 0) ?? 0,
        oldest: moment(found.get(id)?.["oldest"]),
      }));
    },
    async any(ids) {
      const rows = await connections.run(any, [vault, possible(ids)], "repeat");
      return isTrue(requireAccepted(rows)["found"]);
    },
    async list(page) {
      const rows = await connections.run(list, listArguments(vault, page, table), "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["wrap_set"] !== null).map((row) => inventoryItem(row, table));
    },
    async failed({ after, limit }) {
      const [, , , ...behind] = positionOf(after, table);
      const rows = await connections.run(failed, [vault, ...behind, limit], "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["wrap_set"] !== null).map((row) => inventoryItem(row, table));
    },
    async rewrap(change) {
      const values = table.rewrapValues(change, context);
      for (let attempt = 1; attempt <= 2; attempt++) {
        const rows = await connections.run(table.rewrap, values, "fail");
        const result = rewrapResult(requireAccepted(rows, "result"));
        if (result !== null) return result;
        await connections.run(internStatement(schema), internArguments([table.wrapSetOf(change)]), "repeat");
      }
      throw new VaultError("store-altered", "A wrap set that was written is not there");
    },
    async fail(lease, place, { code, at, waitMs }) {
      const where = [vault, lease.job, lease.partition, lease.fence, ...table.valuesOf(place)];
      const values = [...where, code, milliseconds(at)];
      await connections.run(fail, [...values, Math.ceil(waitMs)], "fail");
    },
  };
}

/** Sorts before every column of a position. */
const LEAST = "(-9223372036854775808)::bigint";

/** Each set by itself, from its place in the index on; then the first of them all. */
function listText<Place, Change>(schema: SchemaName, refusal: string, table: WrappedTable<Place, Change>): string {
  const keys = table.key.map(({ column }) => column);
  const of = (row: string): string => keys.map((key) => `${row}.${key}`).join(", ");
  const isFailure = (row: string): string => keys.map((key) => `f.${key} = ${row}.${key}`).join(" and ");
  const [due, limit] = [`$${8 + keys.length}`, `$${9 + keys.length}`];
  const after = keys.map(
    (key, index) => `case when u.id = $5::integer then $${8 + index}::bigint else ${LEAST} end as ${key}`,
  );
  return `
  select ${refusal}, l.* from ${schema}.vault g left join (
    select o.wrap_set, o.bucket, o.since, ${of("o")},
      ${table.item.columns}, f.attempts, f.at, left(f.code, 200) as code
    from (
      select v.* from unnest($2::integer[]) u(id)
      cross join lateral (select
        case when u.id = $5::integer then $6::smallint else (-32768)::smallint end as bucket,
        case when u.id = $5::integer then $7::bigint else ${LEAST} end as since,
        ${after.join(",\n        ")}) after
      cross join lateral (
        select v.wrap_set, v.bucket, v.since, ${of("v")} from ${schema}.${table.name} v
        where v.wrap_set = u.id and v.bucket >= $3::integer and v.bucket < $4::integer
          and (v.bucket, v.since, ${of("v")}) > (after.bucket, after.since, ${of("after")})
          and (not ${due}::boolean or not exists (
            select from ${schema}.failures f
            where ${isFailure("v")} and f.due_at > ${NOW}))
        order by v.bucket, v.since, ${of("v")} limit ${limit}::bigint) v
      where $5::integer is null or u.id >= $5::integer
      order by v.wrap_set, v.bucket, v.since, ${of("v")} limit ${limit}::bigint) o
    ${table.item.joins}
    left join ${schema}.failures f on ${isFailure("o")}) l on true
  order by l.wrap_set, l.bucket, l.since, ${of("l")}`;
}

/** By the keys of the failures' rows: there are few of those, whatever there is else. */
function failedText<Place, Change>(schema: SchemaName, refusal: string, table: WrappedTable<Place, Change>): string {
  const keys = table.key.map(({ column }) => column);
  const of = (row: string): string => keys.map((key) => `${row}.${key}`).join(", ");
  const behind = keys.map((_, index) => `coalesce($${2 + index}::bigint, ${LEAST})`).join(", ");
  return `
  select ${refusal}, l.* from ${schema}.vault g left join (
    select o.wrap_set, o.bucket, o.since, ${of("o")}, ${table.item.columns}, o.attempts, o.at, o.code
    from (
      select v.wrap_set, v.bucket, v.since, ${of("v")}, f.attempts, f.at, left(f.code, 200) as code
      from ${schema}.failures f
      join ${schema}.${table.name} v on ${keys.map((key) => `v.${key} = f.${key}`).join(" and ")}
      where (${of("f")}) > (${behind}) order by ${of("f")} limit $${2 + keys.length}::bigint) o
    ${table.item.joins}) l on true
  order by ${of("l")}`;
}

function listArguments<Place, Change>(
  vault: string,
  { sets, buckets, after, limit, due }: InventoryPage,
  table: WrappedTable<Place, Change>,
): unknown[] {
  const { from, to } = buckets ?? { from: 0, to: BUCKETS };
  return [vault, possible(sets), from, to, ...positionOf(after, table), due === true, limit];
}

/** The columns of a position; nulls where there is none. @throws VaultError `cursor-invalid` */
function positionOf<Place, Change>(
  after: string | null,
  { key }: WrappedTable<Place, Change>,
): readonly (string | null)[] {
  const widths = [...SET_WIDTHS, ...key.map(({ bits }) => bits)];
  return after === null ? widths.map(() => null) : parsePosition(after, widths);
}

/** Most that the first columns of a position can hold: set, bucket, moment. */
const SET_WIDTHS = [31n, 15n, 63n];

/** @throws VaultError `cursor-invalid` */
function parsePosition(given: string, widths: readonly bigint[]): readonly string[] {
  const parts = positionParts(given, widths);
  if (parts !== null) return parts;
  throw new VaultError("cursor-invalid", "The position is not one that this inventory gave out");
}

/** The columns of a position, each a number of no more bits; null: it is none. */
export function positionParts(given: string, widths: readonly bigint[]): readonly string[] | null {
  const parts = given.split(",");
  const isNumber = (bits: bigint, index: number): boolean =>
    /^-?\d{1,19}$/.test(parts[index] ?? "") && fits(BigInt(parts[index] ?? ""), bits);
  return parts.length === widths.length && widths.every(isNumber) ? parts : null;
}

const fits = (value: bigint, bits: bigint): boolean => value >= -(2n ** bits) && value < 2n ** bits;

function inventoryItem<Place, Change>(
  row: Columns,
  { key, placeOf }: WrappedTable<Place, Change>,
): InventoryItem<Place> {
  const columns = ["wrap_set", "bucket", "since", ...key.map(({ column }) => column)];
  return {
    place: placeOf(row),
    collection: foundName(row["collection"]).text,
    id: foundName(row["id"]).text,
    wrapSet: whole(row["wrap_set"], Number.MIN_SAFE_INTEGER) as WrapSetId,
    since: moment(row["since"]),
    failure: failureOf(row),
    position: columns.map((name) => text(row[name]) ?? "").join(","),
  };
}

function failureOf(row: Columns): Failure | null {
  const [attempts, at, code] = [whole(row["attempts"]), moment(row["at"]), text(row["code"])];
  return attempts === null || at === null || code === null ? null : { attempts, code, at };
}

/** Null: the wrap set has no number yet. */
export function rewrapResult(row: Columns): RewrapResult | null {
  switch (row["result"]) {
    case "made":
      return { kind: "made" };
    case "overtaken":
      return { kind: "overtaken" };
    case "gate-moved":
      return { kind: "gate-moved", epoch: (whole(row["epoch"], 0) ?? 0) as Epoch };
    case "set-unknown":
      return null;
    default:
      throw new VaultError("store-altered", "The database answered what no vault answers");
  }
}
