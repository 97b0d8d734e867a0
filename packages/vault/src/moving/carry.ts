/**
 * Brings one record to what its row says. Everything that writes to the vault because of a row goes this way: the
 * backfill, an application's writes of both, and whoever goes on after a crash. Any number may do so at once.
 *
 * The order is the whole of it: the record's version is read *before* the row, and written only if it is still that
 * version; then the row is read *again*. So nobody who has read an older row stores it over a newer one, and whoever
 * did while the row went there and back sees the row and goes on.
 */
import { isDeepStrictEqual } from "node:util";
import { VaultError } from "../errors.ts";
import type { MoveDatabase } from "./database.ts";
import type { RowDocuments } from "./documents.ts";
import { STAGES } from "./stages.ts";
import type { MoveStates } from "./states.ts";
import type { MovingTable, TableRow } from "./table.ts";
import type { MoveTarget } from "./target.ts";

/** What a move works with. */
export interface MoveParts {
  readonly name: string;
  readonly database: MoveDatabase;
  readonly states: MoveStates;
  readonly table: MovingTable;
  readonly documents: RowDocuments;
  readonly target: MoveTarget;
}

/** What became of a record. */
export type Carried =
  | "same"
  | "created"
  | "replaced"
  | "removed"
  /** The row has nothing that could be carried, and the record is left as it is. */
  | "nothing"
  /** `isOfNoRow`: the vault keeps the record of a row that is gone. */
  | { readonly refused: readonly string[]; readonly isOfNoRow: boolean };

/** Tries of a record that others write all the time. */
const TRIES = 50;

/**
 * @param absent what becomes of the record of a row that is not there: removed where the application said that it
 *   deleted the row, or a run was interrupted in the middle of carrying it; `remove-empty`: that of an empty row too
 * @throws VaultError `record-contended`; what is wrong with the vault or the database
 */
export async function carry(
  parts: MoveParts,
  key: string,
  absent: "remove" | "remove-empty" | "keep",
): Promise<Carried> {
  const { target, documents } = parts;
  let done: Carried | null = null;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await target.read(key);
    const { row, isTable } = await look(parts, key);
    const wanted = await documents.of(row);
    if (wanted.kind === "refused") return { refused: wanted.reasons, isOfNoRow: false };
    if (wanted.kind === "nothing") {
      const isGone = row === undefined || absent === "remove-empty";
      if (!isGone || absent === "keep" || !isTable || stored === null) return done ?? "nothing";
      const outcome = await target.remove(key, stored.version);
      if (typeof outcome === "object") return { refused: [outcome.refused], isOfNoRow: true };
      if (outcome === "made") done = "removed";
      continue;
    }
    if (stored !== null && isDeepStrictEqual(stored.document, wanted.document)) return done ?? "same";
    const { document, subject } = wanted;
    const outcome = await target.put({ id: key, document, subject }, stored?.version ?? null);
    if (typeof outcome === "object") return { refused: [outcome.refused], isOfNoRow: false };
    if (outcome === "overtaken") continue;
    done = stored === null ? "created" : "replaced";
    const { row: now } = await look(parts, key);
    if (isSameRow(row, now)) return done;
  }
  throw new VaultError("record-contended", "A record of the move changes faster than it can be carried");
}

/** Row and stage of one moment. */
async function look(
  { database, table, states, name }: MoveParts,
  key: string,
): Promise<{ readonly row: TableRow | undefined; readonly isTable: boolean }> {
  return database.transaction(async (run) => {
    const { stage } = await states.readIn(run, name);
    const [row] = await table.rows(run, [key]);
    return { row, isTable: STAGES[stage].writes === "both" };
  });
}

/** Whether a row is as it was read. */
export function isSameRow(one: TableRow | undefined, other: TableRow | undefined): boolean {
  return isDeepStrictEqual(one?.cells, other?.cells) && isDeepStrictEqual(one?.beside, other?.beside);
}
