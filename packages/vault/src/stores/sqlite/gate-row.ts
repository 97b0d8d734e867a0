/**
 * The row of the gate: read within each transaction, so that it is of the same snapshot as everything else in it.
 */
import { VaultError } from "../../errors.ts";
import { STORE_READER, STORE_WRITER } from "../gate.ts";
import type { Epoch, GateState } from "../gate.ts";
import { whole } from "./columns.ts";
import type { Marked } from "./mark.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

const GATE_ROW = statement((db, _values: object) =>
  db
    .selectFrom("gate")
    .select([
      "vault",
      "digest",
      whole("epoch", 0).as("epoch"),
      whole("min_reader", 0).as("minReader"),
      whole("min_writer", 0).as("minWriter"),
      whole("commits", 0).as("commits"),
    ])
    .compile(),
);

const COUNT = statement((db, _values: object) =>
  db
    .updateTable("gate")
    .set(({ eb }) => ({ commits: eb("commits", "+", 1) }))
    .compile(),
);

const FLIP = statement((db, { from, next, digest }: { from: number; next: number; digest: string }) =>
  db.updateTable("gate").set({ epoch: next, digest }).where("epoch", "=", from).compile(),
);

/** What the gate's row says, with what a mark is compared with. */
export interface GateRow extends GateState, Marked {}

const VAULT_ID = /^[0-9a-f-]{36}$/;

/** @throws VaultError `store-set-back`, `store-altered` when it holds what no vault writes */
export function readGate(connection: Connection): GateRow {
  const row = connection.first(GATE_ROW, {});
  if (row === undefined || row.commits === null || !VAULT_ID.test(row.vault))
    throw new VaultError(
      "store-set-back",
      "The database does not say which vault it is and how many changes it has seen",
    );
  const { vault, digest, epoch, minReader, minWriter, commits } = row;
  if (epoch === null || minReader === null || minWriter === null)
    throw new VaultError("store-altered", "The row that says which key set is in force holds what no vault writes");
  return { vault, digest, epoch: epoch as Epoch, minReader, minWriter, commits };
}

/** @throws VaultError `store-newer` when a program of this version must not do this any more */
export function requireVersion({ minReader, minWriter }: GateState, use: "read" | "write"): void {
  if (minReader > STORE_READER || (use === "write" && minWriter > STORE_WRITER))
    throw new VaultError("store-newer", "The database is used by a newer version, and this one must not go on with it");
}

/** Counts a transaction within itself. */
export function countCommit(connection: Connection): void {
  connection.run(COUNT, {});
}

/** Puts another key set in force, within the caller's transaction. */
export function flipGate(
  connection: Connection,
  { from, digest }: { readonly from: Epoch; readonly digest: string },
): "flipped" | "moved" {
  return connection.run(FLIP, { from, next: from + 1, digest }) === 1 ? "flipped" : "moved";
}
