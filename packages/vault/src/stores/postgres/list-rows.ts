/**
 * What a collection holds, by pages. Ids that a vault would never have written are listed as well, so that they are
 * named and stop nobody's paging.
 */
import type { Collection } from "../../records/address.ts";
import type { FoundCollection, ListedRecord, ListPage } from "../rows.ts";
import { bytes, foundName, isTrue, moment, nameColumn, sealedIdColumn, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections } from "./connection.ts";
import { rowsColumns, rowsOf, withDamage } from "./record-rows.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";

/** The lists of one store. */
export interface RecordLists {
  list(collection: Collection, page: ListPage): Promise<readonly ListedRecord[] | null>;
  collections(): Promise<readonly FoundCollection[]>;
}

/** @param vault the id that the database must have */
export function recordLists(connections: Connections, schema: SchemaName, vault: string): RecordLists {
  const hasRows = `exists (select from ${schema}.versions v where v.record = r.key)`;
  // Of those names that have no head and no rows nothing is told: a write that was given up may leave one behind.
  const page = statement(`
    select ${refusalColumn("$1::text")}, l.id, l.updated_at, l.sealed_bytes, encode(l.sealed_id, 'hex') as sealed_id, l.has_head, l.head_version, l.head_state, l.head_entry, l.newest_row, l.oldest_row,
      exists (
      select from ${schema}.records r join ${schema}.heads h on h.record = r.key where r.collection = $2::text) as known
    from ${schema}.vault g left join lateral (
      select r.id as full_id, ${nameColumn("r.id")} as id, h.updated_at, octet_length(h.sealed_id) as sealed_bytes,
        ${sealedIdColumn("h.sealed_id")},
        ${rowsColumns(schema, "r.key")}
      from ${schema}.records r left join ${schema}.heads h on h.record = r.key
      where r.collection = $2::text and r.id >= $3::text and ($4::bytea is null or convert_to(r.id, 'UTF8'::name) > $4::bytea)
        and (h.record is not null and h.state is distinct from 'removed' or ${hasRows})
      order by r.id limit $5::bigint) l on true
    order by l.full_id`);
  const counts = statement(`
    select ${refusalColumn("$1::text")}, c.name, c.records
    from ${schema}.vault g left join (
      select ${nameColumn("r.collection")} as name, count(*) filter (where h.state = 'live') as records
      from ${schema}.records r join ${schema}.heads h on h.record = r.key
      group by r.collection) c on true
    order by c.name`);
  return {
    async list(collection, { after, limit }) {
      const [from, beyond] = after === null ? ["", null] : [textBefore(after), Buffer.from(after)];
      const rows = await connections.run(page, [vault, collection, from, beyond, limit], "repeat");
      const first = requireAccepted(rows);
      const found = rows.filter((row) => row["id"] !== null);
      if (found.length === 0 && !isTrue(first["known"])) return null;
      return found.map((row) => {
        const { text: id, isWhole, position } = foundName(row["id"]);
        const updatedAt = moment(row["updated_at"]);
        const sealedId = bytes(row["sealed_id"]);
        const isDamaged = sealedId === null && row["sealed_bytes"] !== null;
        const rows = withDamage(rowsOf(row), isDamaged ? "heads.sealed_id" : "");
        return { ...rows, ...(isWhole ? {} : { damage: "records.id" }), id, position, updatedAt, sealedId };
      });
    },
    async collections() {
      const rows = await connections.run(counts, [vault], "repeat");
      requireAccepted(rows);
      return rows
        .filter((row) => row["name"] !== null)
        .map((row) => ({ name: foundName(row["name"]).text, records: whole(row["records"], 0) ?? 0 }));
    },
  };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The longest text that the bytes begin with: a position comes from outside, and may be no text. */
function textBefore(position: Uint8Array): string {
  for (let length = position.length; length > 0; length--) {
    try {
      return UTF8.decode(position.subarray(0, length)).replace(/\0[^]*$/, "");
    } catch {
      // Less of it may be text.
    }
  }
  return "";
}
