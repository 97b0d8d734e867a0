/**
 * The row that says that a move into a database is under way, and how far it is.
 */
import { sql } from "kysely";
import type { MoveTable } from "./schema.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

/** How far a move is. `moved`: all is here, and the file that it came from is to go. */
export interface MoveRow extends Pick<MoveTable, "phase" | "after_collection" | "after_id"> {
  /** Of the earlier table of versions, in decimal digits: a hand may have made it any number. */
  readonly after_row: string;
}

const MOVE_ROW = statement((db, _values: object) =>
  db
    .selectFrom("move")
    .select(["phase", "after_collection", "after_id", sql<string>`cast(after_row as text)`.as("after_row")])
    .compile(),
);

/** Undefined when none is under way. */
export const moveRow = (connection: Connection): MoveRow | undefined => connection.first(MOVE_ROW, {});
