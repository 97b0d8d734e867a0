// What lies in the data folder of an installation on SQLite: the database, and what an older version left that is not
// in it yet. Looked at from outside, also while a service runs.
import { statSync } from "node:fs";
import { VAULT_ERRORS } from "@strongroom/vault";
import { inspectDatabase, type InspectedDatabase, type OwedMove } from "@strongroom/vault/sqlite";
import type { DataFolder } from "../data-folder.ts";

/** What was found. */
export interface SqliteState extends Pick<InspectedDatabase, "state" | "gate" | "version" | "latest" | "isMarked"> {
  /** Changes that the database has seen; null: it does not say. */
  readonly commits: number | null;
  /** With its write-ahead log. */
  readonly bytes: number;
  /** Records of an older version that are not in the database yet; null: there are none. */
  readonly move: OwedMove | null;
  /** Why a start would refuse it; null: it would not. */
  readonly problem: { readonly code: string; readonly detail: string; readonly remedy: string } | null;
}

/** Looks; changes nothing. */
export async function sqliteState({ records, oldVault }: DataFolder): Promise<SqliteState> {
  const { problem, ...found } = await inspectDatabase(records, { movesFrom: oldVault });
  return {
    ...found,
    bytes: sizeOf(records) + sizeOf(`${records}-wal`),
    problem:
      problem === null
        ? null
        : { code: problem.code, detail: problem.message, remedy: VAULT_ERRORS[problem.code].remedy },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A move in words: what there is to do. */
export function moveText({ state, versions }: OwedMove): string {
  const counted =
    versions === null ? "the records" : `${versions.toLocaleString("en")} ${versions === 1 ? "version" : "versions"}`;
  return state === "owed"
    ? `move ${counted} of vault.sqlite into records.sqlite`
    : `go on with moving ${counted} of vault.sqlite into records.sqlite`;
}
