/**
 * Moves the records of an earlier version's file into a store, step by step: each step is one transaction of the new
 * file, with how far the move is as a part of it, so that it goes on wherever it ended. The new file is no store to
 * anyone before all is in it; the earlier one is sealed before the first step, and goes when the new one is whole and
 * on the disk.
 */
import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isLockHeld, waitForLock } from "@strongroom/base/locks";
import type { Lock } from "@strongroom/base/locks";
import { whileBusy } from "@strongroom/base/sqlite";
import { VaultError } from "../../errors.ts";
import type { Wrap } from "../wrap-set.ts";
import { isEmptyFile, lookAtEarlierFile, removeEarlierFile, requireRoomFor, sealEarlierFile } from "./earlier-file.ts";
import { readGate } from "./gate-row.ts";
import { requireMarked } from "./guard.ts";
import { markPath, readMark } from "./mark.ts";
import type { Marked } from "./mark.ts";
import { moveRow } from "./move-row.ts";
import { beginMove, countMoved, endMove, moveHeads, moveVersions, requireWhole } from "./move-steps.ts";
import { openStoreFile } from "./store-file.ts";
import type { Connection } from "./statements.ts";

/** How far a move is: versions that are in the new file, and all of them. */
export interface MoveProgress {
  readonly done: number;
  readonly total: number;
}

/** A file of an earlier version, from which records are moved when it is there. */
export interface MoveFrom {
  readonly path: string;
  /**
   * The wraps that a message says its data key has; null when it says none. A store sees into no message, and the
   * earlier file does not tell them. Of what is answered with null or throws, the wraps are kept as unknown.
   */
  readonly wrapsOf: (message: Uint8Array) => readonly Wrap[] | null;
  /** Told after each step. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

/** How the new file is opened. */
export interface MoveInto {
  readonly busyTimeoutMs: number;
  readonly maxBytes: number;
}

/** How long a process waits for another one that moves the records, in milliseconds. */
const PATIENCE_MS = 3_600_000;

/**
 * Moves what there is to be moved into the file `path`, which is made when absent; does nothing when there is nothing.
 *
 * @throws VaultError `store-failed` when both files hold records and are not one move's; `store-set-back` when the
 *   earlier file, or the one that a move came from, is gone; what opening either of them throws
 */
export async function moveRecords(path: string, from: MoveFrom, into: MoveInto): Promise<void> {
  if (resolve(path) === resolve(from.path))
    throw new VaultError("store-failed", "Records are moved into a new file, not into the one that they are in");
  if (isEmptyFile(from.path) && isEmptyFile(path)) {
    const marked = readMark(markPath(from.path));
    if (marked !== null) requireMarked(null, marked);
    return;
  }
  const lock = await takeTurn(path, from.path, into);
  if (lock === null) return;
  try {
    const connection = await openStoreFile(path, "records", into);
    try {
      await moveInto(connection, path, from, into);
    } finally {
      connection.close();
    }
    rmSync(lockPath(path), { force: true });
  } finally {
    lock.release();
  }
}

const lockPath = (path: string): string => `${path}.move`;

/** Null when there is nothing to do. */
async function takeTurn(path: string, from: string, { busyTimeoutMs }: MoveInto): Promise<Lock | null> {
  if (isEmptyFile(from) && !(await isUnderWay(path, busyTimeoutMs))) return null;
  try {
    return await waitForLock(lockPath(path), { patienceMs: PATIENCE_MS });
  } catch (cause) {
    const why = isLockHeld(cause) ? "another process has moved them for too long" : "the lock cannot be taken";
    throw new VaultError("store-failed", `The records of an earlier version cannot be moved: ${why}`, { cause });
  }
}

async function isUnderWay(path: string, patienceMs: number): Promise<boolean> {
  const connection = await openStoreFile(path, "records", {
    busyTimeoutMs: patienceMs,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  try {
    return moveRow(connection) !== undefined;
  } finally {
    connection.close();
  }
}

async function moveInto(connection: Connection, path: string, from: MoveFrom, into: MoveInto): Promise<void> {
  const step = <Result>(work: () => Result): Promise<Result> =>
    whileBusy(into.busyTimeoutMs, async () => inTransaction(connection, work));
  const phase = moveRow(connection)?.phase;
  if (phase !== "moved") {
    if (isEmptyFile(from.path)) {
      // Another process was faster, or the file went before everything of it was here.
      if (phase === undefined) return;
      throw new VaultError("store-set-back", "The file that records were being moved from is gone");
    }
    if (phase === undefined) {
      requireNothing(connection);
      requireRoomFor(from.path, path, into.maxBytes);
    }
    const moving = await sealEarlierFile(from.path, into.busyTimeoutMs);
    if (phase !== undefined) requireSame(connection, moving);
    connection.database.prepare("attach database ? as earlier").run(resolve(from.path));
    // Rows that break the rules of a table are moved as they are: reading tells them, here as there.
    connection.exec("pragma ignore_check_constraints = on");
    if (phase === undefined)
      await step(() => {
        beginMove(connection, moving);
      });
    await moveAll(connection, from, step);
    connection.exec("detach database earlier; pragma ignore_check_constraints = off");
  }
  // On the disk, with the names of its files.
  connection.exec("pragma wal_checkpoint(truncate)");
  syncFolder(path);
  const { vault, commits } = readGate(connection);
  await removeEarlierFile(from.path, { vault, commits });
  syncFolder(from.path);
  await step(() => {
    endMove(connection);
  });
}

async function moveAll(
  connection: Connection,
  { wrapsOf, onProgress }: MoveFrom,
  step: <Result>(work: () => Result) => Promise<Result>,
): Promise<void> {
  const { done: before, total } = countMoved(connection);
  let done = before;
  for (;;) {
    const row = moveRow(connection);
    if (row === undefined || row.phase === "moved") return;
    if (row.phase === "heads")
      await step(() => {
        moveHeads(connection, row);
      });
    else {
      const { moved, isLast } = await step(() => moveVersions(connection, row, wrapsOf));
      if (isLast)
        await step(() => {
          requireWhole(connection);
        });
      done += moved;
    }
    onProgress?.({ done, total });
    // Whoever shows the progress, or asks for anything else, is let do it.
    await turn();
  }
}

/** @throws VaultError `store-failed` when the database is in use already */
function requireNothing(connection: Connection): void {
  const { commits, epoch } = readGate(connection);
  if (commits > 0 || epoch > 0)
    throw new VaultError(
      "store-failed",
      "There are a database of this version and one of an earlier version, and the one was not moved from the other: " +
        "put away the one that is not this vault's newest",
    );
}

/** @throws VaultError `store-failed` when the move that is under way is another one's */
function requireSame(connection: Connection, { vault }: Marked): void {
  if (readGate(connection).vault !== vault)
    throw new VaultError("store-failed", "The records in this database are being moved from another vault's file");
}

function inTransaction<Result>(connection: Connection, work: () => Result): Result {
  connection.exec("begin immediate");
  try {
    const result = work();
    connection.exec("commit");
    return result;
  } catch (error) {
    connection.rollback();
    throw error;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(resolve(path)), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What a look from outside says of a move: null when none is owed. */
export interface OwedMove {
  /** `owed`: it begins with the next start. `under way`: it has begun, and goes on with the next start. */
  readonly state: "owed" | "under way";
  /** How many versions are in the earlier file; null when it cannot be read, or is gone. */
  readonly versions: number | null;
}

/** Looks at the earlier file, without changing it. */
export function owedMove(from: string, isUnderWay: boolean): OwedMove | null {
  let versions: number | null = null;
  let isThere = false;
  try {
    const found = lookAtEarlierFile(from);
    isThere = found !== null;
    versions = found?.versions ?? null;
  } catch {
    // What is wrong with it is told by the move.
    isThere = true;
  }
  if (!isThere && !isUnderWay) return null;
  return { state: isUnderWay ? "under way" : "owed", versions };
}
