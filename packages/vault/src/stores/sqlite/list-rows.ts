/**
 * What a collection holds, by pages. Ids that a vault would never have written are listed as well, so that they are
 * named and stop nobody's paging: where a page ends is told in bytes, which every id has.
 */
import { sql } from "kysely";
import type { Collection } from "../../records/address.ts";
import type { FoundCollection, ListedRecord, ListPage } from "../rows.ts";
import { foundName, foundSealedId, moment, nameBytes, sealedIdBytes } from "./columns.ts";
import { HAS_ROWS, rowsOf, SELECTED_ROWS } from "./read-records.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

interface ListValues {
  readonly collection: Collection;
  readonly after: Uint8Array;
  readonly limit: number;
}

/** From the first, which may be an id of no bytes; and behind a position. */
const FIRST_PAGE = statement((db, { collection, limit }: ListValues) =>
  listQuery(db, collection).limit(limit).compile(),
);
const NEXT_PAGE = statement((db, { collection, after, limit }: ListValues) =>
  listQuery(db, collection)
    .where(sql<boolean>`records.id > cast(${after} as text)`)
    .limit(limit)
    .compile(),
);

/** Every id that has a head or version rows, but for records that were removed and have none. */
function listQuery(db: Parameters<Parameters<typeof statement>[0]>[0], collection: Collection) {
  return db
    .selectFrom("records")
    .leftJoin("heads", "heads.record", "records.record")
    .where("records.collection", "=", collection)
    .where(sql<boolean>`((heads.record is not null and heads.state is not 'removed') or ${HAS_ROWS})`)
    .select(nameBytes("records.id").as("id"))
    .select(sql<string | null>`heads.updated_at`.as("updated_at"))
    .select(sealedIdBytes("heads.sealed_id").as("sealed_id"))
    .select(SELECTED_ROWS)
    .orderBy("records.id");
}

const ANY = statement((db, { collection }: { readonly collection: Collection }) =>
  db
    .selectFrom("records")
    .select(sql`1`.as("found"))
    .where("collection", "=", collection)
    .limit(ONE)
    .compile(),
);

/** An id that is too long is cut; after it comes what does not begin like it. */
export function listRecords(
  connection: Connection,
  collection: Collection,
  { after, limit }: ListPage,
): readonly ListedRecord[] | null {
  const values = { collection, after: after ?? new Uint8Array(), limit };
  const rows = connection.all(after === null ? FIRST_PAGE : NEXT_PAGE, values);
  if (rows.length === 0 && connection.first(ANY, { collection }) === undefined) return null;
  return rows.map(({ id, updated_at: updatedAt, sealed_id: sealed, ...row }) => {
    const { text, isWhole, position } = foundName(id);
    const found = rowsOf(row);
    const sealedId = foundSealedId(sealed);
    const damage = isWhole ? (sealedId === null && sealed !== null ? "heads.sealed_id" : null) : "records.id";
    return {
      ...found,
      ...(damage === null ? {} : { damage }),
      id: text,
      position,
      updatedAt: moment(updatedAt),
      sealedId,
    };
  });
}

const COLLECTIONS = statement((db, _values: object) =>
  db
    .selectFrom("records")
    .leftJoin("heads", "heads.record", "records.record")
    .select([
      sql<string>`cast(iif(octet_length(collection) <= 256, collection, substr(collection, 1, 256)) as text)`.as(
        "name",
      ),
      sql<number>`count(*) filter (where state = 'live')`.as("records"),
    ])
    .groupBy("collection")
    .orderBy("collection")
    .compile(),
);

/** Names that no collection has are given as they are, cut. */
export function countCollections(connection: Connection): readonly FoundCollection[] {
  return connection.all(COLLECTIONS, {}).map(({ name, records }) => ({ name, records }));
}
