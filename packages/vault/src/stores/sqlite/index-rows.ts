/**
 * The rows of indexes. One that holds what no vault writes is left out; a state that is none is one in which an index
 * is written, and is not built yet.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { Collection } from "../../records/address.ts";
import { refused } from "../checked.ts";
import type { Epoch } from "../gate.ts";
import { foundIndexRow, isIndexId, requireSameIndex } from "../index-limits.ts";
import type { IndexId, IndexRow } from "../indexes.ts";
import { rowNumber } from "./columns.ts";
import { moveEpoch, readGate } from "./gate-row.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";

/** No text of a row is longer. */
const LONGEST = 1024;

/** The text, unless it is longer than any that a vault writes. */
const short = (column: string): RawBuilder<string | null> =>
  sql<string | null>`iif(octet_length(${sql.ref(column)}) <= ${sql.lit(LONGEST)}, ${sql.ref(column)}, null)`;

const COLUMNS = [
  rowNumber("number").as("number"),
  short("id").as("id"),
  short("collection").as("collection"),
  short("name").as("name"),
  sql<number>`is_unique is not 0`.as("is_unique"),
  short("state").as("state"),
] as const;

/** What {@link COLUMNS} selects. */
interface FoundColumns {
  readonly number: string;
  readonly id: string | null;
  readonly collection: string | null;
  readonly name: string | null;
  readonly is_unique: number;
  readonly state: string | null;
}

/** An index with the number that its tags name. */
export interface NumberedIndex extends IndexRow {
  readonly number: bigint;
}

const ALL = statement((db, _values: object) => db.selectFrom("indexes").select(COLUMNS).orderBy("id").compile());

const BY_ID = statement((db, { id }: Pick<IndexRow, "id">) =>
  db.selectFrom("indexes").where("id", "=", id).select(COLUMNS).compile(),
);

const OF_COLLECTION = statement((db, { collection }: Pick<IndexRow, "collection">) =>
  db.selectFrom("indexes").where("collection", "=", collection).select(COLUMNS).compile(),
);

function numbered({ number, is_unique: isUnique, ...row }: FoundColumns): NumberedIndex | null {
  const found = foundIndexRow({ ...row, isUnique: isUnique === 1 });
  return found === null ? null : { ...found, number: BigInt(number) };
}

export function listIndexes(connection: Connection): {
  readonly epoch: Epoch;
  readonly indexes: readonly IndexRow[];
} {
  const { epoch } = readGate(connection);
  const found = connection.all(ALL, {}).flatMap((row) => numbered(row) ?? []);
  return { epoch, indexes: found.map(({ number: _number, ...row }) => row) };
}

/** Null: there is none. */
export function findIndex(connection: Connection, id: IndexId): NumberedIndex | null {
  const found = isIndexId(id) ? connection.first(BY_ID, { id }) : undefined;
  return found === undefined ? null : numbered(found);
}

/** Those of a collection that are not dropped, by their ids. */
export function writtenIndexes(connection: Connection, collection: Collection): ReadonlyMap<IndexId, NumberedIndex> {
  const found = connection.all(OF_COLLECTION, { collection }).flatMap((row) => numbered(row) ?? []);
  return new Map(found.filter(({ state }) => state !== "dropped").map((row) => [row.id, row]));
}

const PUT = statement(
  (db, { id, collection, name, isUnique, state }: Omit<IndexRow, "isUnique"> & { isUnique: number }) =>
    db
      .insertInto("indexes")
      .values({ id, collection, name, is_unique: isUnique, state })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ collection, name, is_unique: isUnique, state }))
      .compile(),
);

/** Rows in the place of those of their ids, and the epoch one on. @throws VaultError `store-failed` */
export function changeIndexes(
  connection: Connection,
  { from, set }: { readonly from: Epoch; readonly set: readonly IndexRow[] },
): "changed" | "moved" | Undone<"changed" | "moved"> {
  if (readGate(connection).digest === null) throw refused("no key set is in force yet");
  if (!moveEpoch(connection, from)) return changed("moved", false);
  for (const row of set) {
    requireSameIndex(findIndex(connection, row.id) ?? undefined, row);
    connection.run(PUT, { ...row, isUnique: row.isUnique ? 1 : 0 });
  }
  return "changed";
}

const DROP = statement((db, { number }: { readonly number: bigint }) =>
  db.deleteFrom("indexes").where("number", "=", number).compile(),
);

export function dropIndexRow(connection: Connection, number: bigint): void {
  connection.run(DROP, { number });
}
