/**
 * The row of the gate: read within each transaction, so that it is of the same snapshot as everything else in it.
 */
import { sql } from "kysely";
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

const MOVE_EPOCH = statement((db, { from, next }: { from: number; next: number }) =>
  db.updateTable("gate").set({ epoch: next }).where("epoch", "=", from).compile(),
);

const PEER = statement((db, _values: object) =>
  db
    .selectFrom("gate")
    .select(sql<string | null>`substr(peer, 1, 100)`.as("peer"))
    .compile(),
);

const BIND = statement((db, { peer }: { readonly peer: string }) =>
  db.updateTable("gate").set({ peer }).where("peer", "is", null).compile(),
);

/** What the gate's row says to every transaction, with what a mark is compared with. */
export interface GateRow extends Omit<GateState, "peer">, Marked {}

const STORE_ID = /^[0-9a-f-]{36}$/;

/** @throws VaultError `store-set-back`, `store-altered` when it holds what no vault writes */
export function readGate(connection: Connection): GateRow {
  const row = connection.first(GATE_ROW, {});
  if (row === undefined || row.commits === null || !STORE_ID.test(row.vault))
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
export function requireVersion({ minReader, minWriter }: GateRow, use: "read" | "write"): void {
  if (minReader > STORE_READER || (use === "write" && minWriter > STORE_WRITER))
    throw new VaultError("store-newer", "The database is used by a newer version, and this one must not go on with it");
}

/** All that the gate's row says. @throws VaultError as {@link readGate}, and `store-altered` of a peer that is none */
export function currentGate(connection: Connection): GateState {
  const { vault, epoch, digest, minReader, minWriter } = readGate(connection);
  return { vault, peer: readPeer(connection), epoch, digest, minReader, minWriter };
}

/** Asked for by whoever opens a vault, and not by every transaction: what is wrong with it stops nothing else. */
function readPeer(connection: Connection): string | null {
  const { peer } = connection.one(PEER, {});
  if (peer !== null && !STORE_ID.test(peer))
    throw new VaultError(
      "store-altered",
      "The row that says which store this one belongs to holds what no vault writes",
    );
  return peer;
}

/**
 * Notes the peer where none is noted, within the caller's transaction; answers what is noted then.
 *
 * @throws VaultError `store-failed` of a peer that is none, and `store-altered`
 */
export function bindGate(connection: Connection, peer: string): { readonly peer: string; readonly isNew: boolean } {
  if (!STORE_ID.test(peer)) throw new VaultError("store-failed", "A store is named by the 36 characters of its id");
  const isNew = connection.run(BIND, { peer }) === 1;
  return { peer: readPeer(connection) ?? peer, isNew };
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

/** The epoch one on, under the same key set, within the caller's transaction. False: it was not `from` any more. */
export function moveEpoch(connection: Connection, from: Epoch): boolean {
  return connection.run(MOVE_EPOCH, { from, next: from + 1 }) === 1;
}
