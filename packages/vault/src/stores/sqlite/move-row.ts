/**
 * The row that says that a move into a database is under way, and how far it is.
 */
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

const MOVE_ROW = statement((db, _values: object) =>
  db.selectFrom("move").select(["phase", "after_collection", "after_id", "after_row"]).compile(),
);

/** How far a move is; undefined when none is under way. */
export const moveRow = (
  connection: Connection,
):
  | {
      readonly phase: "heads" | "versions" | "moved";
      readonly after_collection: Uint8Array | null;
      readonly after_id: Uint8Array | null;
      readonly after_row: number;
    }
  | undefined => connection.first(MOVE_ROW, {});

export const isMoving = (connection: Connection): boolean => moveRow(connection) !== undefined;
