/**
 * Kept messages in PostgreSQL: found by bucket, counted by wrap set, each by an index that has no message in it.
 */
import { STORE_WRITER } from "../gate.ts";
import { BUCKETS } from "../inventory.ts";
import { takeDrop, takeRestore } from "../kept-limits.ts";
import type { KeptItem, KeptMessages } from "../kept.ts";
import { VaultError } from "../../errors.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { bytes, isTrue, nameColumn, text, whole } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { placeholders, statement } from "./connection.ts";
import { positionParts, possible, rewrapResult } from "./inventory.ts";
import type { InventoryContext } from "./inventory.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import { milliseconds } from "./units.ts";
import { leaseValues, placeOfVersion } from "./wrapped-versions.ts";

/** A hand can give every row a number of its own. */
const MOST_SETS = 10_000;

/** What a position's columns can hold: bucket, record, version. */
const WIDTHS = [15n, 63n, 63n];
const LEAST = ["-32768", "-9223372036854775808", "-9223372036854775808"];

export function postgresKept(context: InventoryContext): KeptMessages {
  const { connections, schema, vault, lockTimeoutMs } = context;
  const refusal = refusalColumn("$1::text");
  // From one set's first index entry to the next one's.
  const counts = statement(`
    with recursive used(id) as (
      select min(k.wrap_set) from ${schema}.kept k
      union all
      select (select min(k.wrap_set) from ${schema}.kept k where k.wrap_set > used.id)
      from used where used.id is not null)
    select ${refusal}, c.id, c.items from ${schema}.vault g left join (
      select u.id, c.items
      from (select used.id from used where used.id is not null limit ${MOST_SETS}) u
      cross join lateral (
        select count(*) as items from (
          select from ${schema}.kept k where k.wrap_set = u.id limit $2::bigint) found) c) c on true
    order by c.id`);
  const any = statement(`
    select ${refusal}, exists (
      select from unnest($2::integer[]) u(id)
      where exists (select from ${schema}.kept k where k.wrap_set = u.id)) as found
    from ${schema}.vault g`);
  const list = statement(`
    select ${refusal}, l.* from ${schema}.vault g left join (
      select o.wrap_set, o.bucket, o.record, o.version, v.record is not null as is_there,
        ${nameColumn("r.collection")} as collection, ${nameColumn("r.id")} as id
      from (
        select k.wrap_set, k.bucket, k.record, k.version from ${schema}.kept k
        where k.bucket >= $2::integer and k.bucket < $3::integer
          and (k.bucket, k.record, k.version) > ($4::smallint, $5::bigint, $6::bigint)
        order by k.bucket, k.record, k.version limit $7::bigint) o
      left join ${schema}.versions v on v.record = o.record and v.version = o.version
      left join ${schema}.records r on r.key = v.record) l on true
    order by l.bucket, l.record, l.version`);
  const read = statement(`
    select ${refusal}, k.wrap_set, encode(k.message, 'hex') as message from ${schema}.vault g left join (
      select k.wrap_set, k.message
      from ${schema}.records r
      join ${schema}.versions v on v.record = r.key and v.version = $4::bigint
      join ${schema}.kept k on k.record = v.record and k.version = v.version
      where r.collection = $2::text and r.id = $3::text and octet_length(k.message) > 0
        and exists (select from ${schema}.wrap_sets w where w.id = k.wrap_set)) k on true`);
  const restore = statement(`select result, epoch from ${schema}.restore_v1(${placeholders(13)})`);
  const drop = statement(`select result from ${schema}.drop_kept_v1(${placeholders(11)})`);
  const common = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs)];

  return {
    async counts(atMost) {
      const rows = await connections.run(counts, [vault, atMost], "repeat");
      requireAccepted(rows);
      return rows.flatMap((row) => {
        const [id, items] = [whole(row["id"], -(2 ** 31)), whole(row["items"])];
        return id === null || items === null ? [] : [{ id: id as WrapSetId, items }];
      });
    },
    async any(sets) {
      return isTrue(requireAccepted(await connections.run(any, [vault, possible(sets)], "repeat"))["found"]);
    },
    async list({ buckets = { from: 0, to: BUCKETS }, after, limit }) {
      const position = after === null ? LEAST : positionParts(after, WIDTHS);
      if (position === null) throw new VaultError("cursor-invalid", "The position is not one that this store gave out");
      // Rows whose bucket is none belong to whoever has the first or the last ones: somebody must find them.
      const range = [buckets.from <= 0 ? -32_768 : buckets.from, buckets.to >= BUCKETS ? 32_768 : buckets.to];
      const rows = await connections.run(list, [vault, ...range, ...position, limit], "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["record"] !== null).map(keptItem);
    },
    async read({ collection, id, version }) {
      const row = requireAccepted(await connections.run(read, [vault, collection, id, version], "repeat"));
      const [message, wrapSet] = [bytes(row["message"]), whole(row["wrap_set"], -(2 ** 31))];
      return message === null || wrapSet === null ? null : { message, wrapSet: wrapSet as WrapSetId };
    },
    async restore(change) {
      const { place, seen, epoch, at, lease } = takeRestore(change);
      const values = [place.collection, place.id, place.version, seen.wrapSet, seen.revision, milliseconds(at)];
      const rows = await connections.run(restore, [...common, epoch, ...values, ...leaseValues(lease)], "fail");
      return rewrapResult(requireAccepted(rows, "result")) ?? { kind: "overtaken" };
    },
    async drop(given, givenLease) {
      const { items, lease } = takeDrop({ items: given, lease: givenLease });
      const places = items.flatMap((item) => ("position" in item ? [] : [item]));
      const positions = items.flatMap((item) => ("position" in item ? [positionParts(item.position, WIDTHS)] : []));
      const known = positions.filter((parts) => parts !== null);
      const values = [
        places.map(({ collection }) => collection),
        places.map(({ id }) => id),
        places.map(({ version }) => version),
        known.map(([, record]) => record),
        known.map(([, , version]) => version),
      ];
      // Twice is the same as once.
      requireAccepted(await connections.run(drop, [...common, ...values, ...leaseValues(lease)], "repeat"), "result");
    },
  };
}

function keptItem(row: Columns): KeptItem {
  return {
    place: isTrue(row["is_there"]) ? placeOfVersion(row) : null,
    wrapSet: whole(row["wrap_set"], Number.MIN_SAFE_INTEGER) as WrapSetId,
    position: ["bucket", "record", "version"].map((name) => text(row[name]) ?? "").join(","),
  };
}
