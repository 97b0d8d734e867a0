/**
 * What a collection holds, by pages. Ids that a vault would never have written are listed as well, so that they are
 * named and stop nobody's paging: where a page ends is told in bytes, which every id has.
 */
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Collection } from "../records/address.ts";
import type { FoundCollection, ListedRecord } from "../store.ts";
import { foundName, moment, nameBytes } from "./columns.ts";
import { rowsColumns, rowsOf } from "./record-rows.ts";
import type { RowsColumns } from "./record-rows.ts";
import type { VaultSchema } from "./schema.ts";

/**
 * Every id that has a head or version rows, but for records that were removed and have none. An id that is too long is
 * cut; after it comes what does not begin like it.
 */
export async function listRecords(
  db: Kysely<VaultSchema>,
  collection: Collection,
  { after, limit }: { readonly after: Uint8Array | null; readonly limit: number },
): Promise<readonly ListedRecord[] | null> {
  const columns = rowsColumns("names.collection", "names.id");
  const beyond = after === null ? sql`true` : sql`id > cast(${after} as text)`;
  const { rows } = await sql<ListedColumns>`
    select ${nameBytes("names.id")} as id, heads.updated_at as updated_at,
      ${columns.has_head} as has_head, ${columns.head_version} as head_version, ${columns.head_state} as head_state,
      ${columns.has_rows} as has_rows, ${columns.newest_row} as newest_row, ${columns.oldest_row} as oldest_row
    from (
      select collection, id from heads where collection = ${collection} and typeof(id) = 'text' and ${beyond}
      union
      select collection, id from versions where collection = ${collection} and typeof(id) = 'text' and ${beyond}
      order by 2
    ) as names
    left join heads on heads.collection = names.collection and heads.id = names.id
    where heads.state is not 'removed' or ${columns.has_rows}
    limit ${limit}`.execute(db);
  if (rows.length === 0) {
    const any = await db
      .selectFrom("heads")
      .select("id")
      .where("collection", "=", collection)
      .limit(1)
      .executeTakeFirst();
    if (any === undefined) return null;
  }
  return rows.map(({ id, updated_at: updatedAt, ...row }) => {
    const { text, isWhole, position } = foundName(id);
    const found = rowsOf(row);
    return { ...found, ...(isWhole ? {} : { damage: "heads.id" }), id: text, position, updatedAt: moment(updatedAt) };
  });
}

interface ListedColumns extends RowsColumns {
  readonly id: Uint8Array | null;
  readonly updated_at: string | null;
}

/** Names that no collection has are given as they are, cut. */
export async function countCollections(db: Kysely<VaultSchema>): Promise<readonly FoundCollection[]> {
  const rows = await db
    .selectFrom("heads")
    .select([
      sql<string>`cast(iif(octet_length(collection) <= 256, collection, substr(collection, 1, 256)) as text)`.as(
        "name",
      ),
      sql<number>`count(*) filter (where state = 'live')`.as("records"),
    ])
    .groupBy("collection")
    .orderBy("collection")
    .execute();
  return rows.map(({ name, records }) => ({ name, records }));
}
