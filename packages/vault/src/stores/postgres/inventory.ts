/**
 * The inventory over one index, `(wrap_set, bucket, since, record, version)`: it is the order of the list, and its
 * first entry of a set is the proof that the set is still there.
 */
import { VaultError } from "../../errors.ts";
import { isCollection, parseId } from "../../records/address.ts";
import type { Version } from "../../records/address.ts";
import type { Epoch } from "../gate.ts";
import { STORE_WRITER } from "../gate.ts";
import { BUCKETS } from "../inventory.ts";
import type { Failure, Inventory, InventoryItem, InventoryPage, Rewrap, RewrapResult } from "../inventory.ts";
import type { VersionPlace } from "../rows.ts";
import { parseWrapSet, wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSetId } from "../wrap-set.ts";
import type { Columns } from "./columns.ts";
import { foundName, isTrue, moment, nameColumn, text, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections } from "./connection.ts";
import { NOW } from "./functions.sql.ts";
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

/** Each once, without those that no row can have. */
const possible = (ids: readonly WrapSetId[]): readonly number[] =>
  [...new Set(ids)].filter((id) => Number.isSafeInteger(id) && Math.abs(id) < 2 ** 31);

/** A hand can give every version a number of its own. */
const MOST_WITHOUT_ROW = 1000;

/** A form that is longer is none that a vault writes. */
const LONGEST_FORM = 1_000_000;

/** Most that a count of failures goes up to. */
const MOST_ATTEMPTS = 1_000_000;

export function postgresInventory({ connections, schema, vault, lockTimeoutMs }: InventoryContext): Inventory {
  const refusal = refusalColumn("$1::text");
  // Numbers that versions have and no row are among them: what is not known must not pass for nothing. They are found
  // from one number's first index entry to the next one's: `distinct` would read all versions.
  const sets = statement(`
    with recursive used(id) as (
      select min(v.wrap_set) from ${schema}.versions v
      union all
      select (select min(v.wrap_set) from ${schema}.versions v where v.wrap_set > used.id)
      from used where used.id is not null),
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
        select from ${schema}.versions v where v.wrap_set = u.id limit $3::bigint) found) c
    cross join lateral (
      select min(first.since) as oldest from generate_series(0, ${BUCKETS - 1}) b(bucket) cross join lateral (
        select v.since from ${schema}.versions v where v.wrap_set = u.id and v.bucket = b.bucket
        order by v.since limit 1) first) o`);
  const any = statement(`
    select ${refusal}, exists (
      select from unnest($2::integer[]) u(id)
      where exists (select from ${schema}.versions v where v.wrap_set = u.id)) as found
    from ${schema}.vault g`);
  const list = statement(listText(schema, refusal));
  const rewrap = statement(`
    select result, epoch from ${schema}.rewrap_v1(${Array.from({ length: 15 }, (_, i) => `$${i + 1}`).join(", ")})`);
  // The lease's row is held until this ends; who takes it over comes after.
  const fail = statement(`
    with lease as materialized (
      select from ${schema}.job_partitions j
      where exists (select from ${schema}.vault g where g.id = $1::text)
        and j.job = $2::text and j.partition = $3::text and j.fence = $4::bigint and j.held
      for share),
    place as materialized (
      select v.record, v.version from lease, ${schema}.records r join ${schema}.versions v on v.record = r.key
      where r.collection = $5::text and r.id = $6::text and v.version = $7::bigint
      for share of v)
    insert into ${schema}.failures as f (record, version, attempts, at, due_at, code)
    select record, version, 1, $9::bigint, ${NOW} + $10::bigint, $8::text from place
    on conflict (record, version) do update set
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
      const rows = await connections.run(list, listArguments(vault, page), "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["wrap_set"] !== null).map(inventoryItem);
    },
    async rewrap(change) {
      const values = rewrapArguments(change, { vault, lockTimeoutMs });
      for (let attempt = 1; attempt <= 2; attempt++) {
        const rows = await connections.run(rewrap, values, "fail");
        const result = rewrapResult(requireAccepted(rows, "result"));
        if (result !== null) return result;
        await connections.run(internStatement(schema), internArguments([change.wrapSet]), "repeat");
      }
      throw new VaultError("store-altered", "A wrap set that was written is not there");
    },
    async fail(lease, place, { code, at, waitMs }) {
      const { collection, id, version } = place;
      const values = [vault, lease.job, lease.partition, lease.fence, collection, id, version, code, milliseconds(at)];
      await connections.run(fail, [...values, Math.ceil(waitMs)], "fail");
    },
  };
}

/** Sorts before every column of a position. */
const LEAST = "(-9223372036854775808)::bigint";

/** Each set by itself, from its place in the index on; then the first of them all. */
const listText = (schema: SchemaName, refusal: string): string => `
  select ${refusal}, l.* from ${schema}.vault g left join (
    select o.wrap_set, o.bucket, o.since, o.record, o.version,
      ${nameColumn("r.collection")} as collection, ${nameColumn("r.id")} as id, f.attempts, f.at, left(f.code, 200) as code
    from (
      select v.* from unnest($2::integer[]) u(id)
      cross join lateral (select
        case when u.id = $5::integer then $6::smallint else (-32768)::smallint end as bucket,
        case when u.id = $5::integer then $7::bigint else ${LEAST} end as since,
        case when u.id = $5::integer then $8::bigint else ${LEAST} end as record,
        case when u.id = $5::integer then $9::bigint else ${LEAST} end as version) after
      cross join lateral (
        select v.wrap_set, v.bucket, v.since, v.record, v.version from ${schema}.versions v
        where v.wrap_set = u.id and v.bucket >= $3::integer and v.bucket < $4::integer
          and (v.bucket, v.since, v.record, v.version) > (after.bucket, after.since, after.record, after.version)
          and (not $10::boolean or not exists (
            select from ${schema}.failures f
            where f.record = v.record and f.version = v.version and f.due_at > ${NOW}))
        order by v.bucket, v.since, v.record, v.version limit $11::bigint) v
      where $5::integer is null or u.id >= $5::integer
      order by v.wrap_set, v.bucket, v.since, v.record, v.version limit $11::bigint) o
    left join ${schema}.records r on r.key = o.record
    left join ${schema}.failures f on f.record = o.record and f.version = o.version) l on true
  order by l.wrap_set, l.bucket, l.since, l.record, l.version`;

function listArguments(vault: string, { sets, buckets, after, limit, due }: InventoryPage): unknown[] {
  const position = after === null ? [null, null, null, null, null] : parsePosition(after);
  const { from, to } = buckets ?? { from: 0, to: BUCKETS };
  return [vault, possible(sets), from, to, ...position, due === true, limit];
}

const POSITION = /^(?:-?\d{1,19},){4}-?\d{1,19}$/;

/** Most that the columns of a position can hold. */
const WIDTHS = [31n, 15n, 63n, 63n, 63n];

/** @throws VaultError `cursor-invalid` */
function parsePosition(given: string): readonly string[] {
  const parts = POSITION.test(given) ? given.split(",") : [];
  if (parts.length === WIDTHS.length && WIDTHS.every((bits, index) => fits(BigInt(parts[index] ?? ""), bits)))
    return parts;
  throw new VaultError("cursor-invalid", "The position is not one that this inventory gave out");
}

const fits = (value: bigint, bits: bigint): boolean => value >= -(2n ** bits) && value < 2n ** bits;

function inventoryItem(row: Columns): InventoryItem {
  const [collection, id] = [foundName(row["collection"]), foundName(row["id"])];
  const columns = ["wrap_set", "bucket", "since", "record", "version"].map((name) => text(row[name]) ?? "");
  return {
    place: placeOf(collection.text, id, whole(row["version"])),
    collection: collection.text,
    id: id.text,
    wrapSet: whole(row["wrap_set"], Number.MIN_SAFE_INTEGER) as WrapSetId,
    since: moment(row["since"]),
    failure: failureOf(row),
    position: columns.join(","),
  };
}

function placeOf(
  collection: string,
  id: { readonly text: string; readonly isWhole: boolean },
  version: number | null,
): VersionPlace | null {
  if (version === null || !id.isWhole || !isCollection(collection)) return null;
  try {
    return { collection, id: parseId(id.text), version: version as Version };
  } catch {
    return null;
  }
}

function failureOf(row: Columns): Failure | null {
  const [attempts, at, code] = [whole(row["attempts"]), moment(row["at"]), text(row["code"])];
  return attempts === null || at === null || code === null ? null : { attempts, code, at };
}

function rewrapArguments(
  { place, seen, epoch, message, wrapSet, at, lease }: Rewrap,
  { vault, lockTimeoutMs }: { readonly vault: string; readonly lockTimeoutMs: number },
): unknown[] {
  return [
    vault,
    STORE_WRITER,
    Math.ceil(lockTimeoutMs),
    epoch,
    place.collection,
    place.id,
    place.version,
    seen.wrapSet,
    seen.revision,
    wrapSetDigest(wrapSetForm(wrapSet)),
    milliseconds(at),
    message === null ? null : Buffer.from(message.buffer, message.byteOffset, message.byteLength),
    lease?.job ?? null,
    lease?.partition ?? null,
    lease?.fence ?? null,
  ];
}

/** Null: the wrap set has no number yet. */
function rewrapResult(row: Columns): RewrapResult | null {
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
