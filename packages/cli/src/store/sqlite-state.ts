// What lies in the data folder of an installation on SQLite: the database, and what an older version left that is not
// in it yet. Looked at from outside, also while a service runs.
import { statSync } from "node:fs";
import { type GateState, VAULT_ERRORS } from "@strongroom/vault";
import { inspectDatabase } from "@strongroom/vault/sqlite";
import type { DataFolder } from "../data-folder.ts";

/** What was found. */
export interface SqliteState {
  /** Null: there is no database, or none that can be used. */
  readonly gate: GateState | null;
  /** How many migrations it has; null: there is no database. */
  readonly version: number | null;
  /** How many this version makes. */
  readonly latest: number;
  /** With its write-ahead log. */
  readonly bytes: number;
  /** The file of an older version whose content is not in the database yet; null: there is none. */
  readonly waiting: { readonly path: string; readonly bytes: number } | null;
  /** Why a start would refuse it; null: it would not. */
  readonly problem: { readonly code: string; readonly detail: string; readonly remedy: string } | null;
}

/** Looks; changes nothing. */
export async function sqliteState(folder: DataFolder): Promise<SqliteState> {
  const { gate, version, latest, problem, isMoving } = await inspectDatabase(folder.records);
  const oldBytes = sizeOf(folder.oldVault);
  const isWaiting = oldBytes !== null && (isMoving || version === null);
  return {
    gate,
    version,
    latest,
    bytes: (sizeOf(folder.records) ?? 0) + (sizeOf(`${folder.records}-wal`) ?? 0),
    waiting: isWaiting ? { path: folder.oldVault, bytes: oldBytes } : null,
    problem:
      problem === null
        ? null
        : { code: problem.code, detail: problem.message, remedy: VAULT_ERRORS[problem.code].remedy },
  };
}

/** Null: there is no such file. */
function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}
