// The SQLite files of an installation: the databases of records, of keys and of the audit, and what an older
// version left that is not in them yet. Looked at from outside, also while a service runs.
import { statSync } from "node:fs";
import { VAULT_ERRORS } from "@strongroom/vault";
import { inspectDatabase, type InspectedDatabase, type OwedMove } from "@strongroom/vault/sqlite";
import type { Config } from "../config/config.ts";
import { dataFolder } from "../data-folder.ts";
import { sqlitePath, STORE_ROLES, type StoreRole } from "./which.ts";

/** What was found. */
export interface SqliteState extends Pick<
  InspectedDatabase,
  "state" | "gate" | "version" | "latest" | "isMarked" | "commits" | "pending" | "move"
> {
  readonly path: string;
  readonly markPath: string;
  /** With its write-ahead log. */
  readonly bytes: number;
  /** Why a start would refuse it; null: it would not. */
  readonly problem: { readonly code: string; readonly detail: string; readonly remedy: string } | null;
}

/** The files of a store. */
export function sqliteFiles(config: Config, role: StoreRole): { readonly path: string; readonly markPath: string } {
  const path = sqlitePath(config, role);
  return { path, markPath: `${path}.mark` };
}

/** Looks; changes nothing. */
export async function sqliteState(config: Config, role: StoreRole): Promise<SqliteState> {
  const files = sqliteFiles(config, role);
  const { problem, ...found } = await inspectDatabase(files.path, {
    kind: role,
    ...(role === "records" ? { movesFrom: dataFolder(config.dataDir).oldVault } : {}),
  });
  return {
    ...found,
    ...files,
    bytes: sizeOf(files.path) + sizeOf(`${files.path}-wal`),
    problem:
      problem === null
        ? null
        : { code: problem.code, detail: problem.message, remedy: VAULT_ERRORS[problem.code].remedy },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What the next start does with a store, in words. */
export function pendingText({ state, pending, move, gate }: SqliteState, role: StoreRole): readonly string[] {
  const { file } = STORE_ROLES[role];
  return [
    ...(state === "absent" && role !== "records" ? [`make ${file}`] : []),
    ...(move === null ? [] : [moveText(move)]),
    ...(gate === null ? [] : pending.map((name) => `${name} in ${file}`)),
  ];
}

/** A move in words: what there is to do. */
export function moveText({ state, versions }: OwedMove): string {
  const counted =
    versions === null ? "the records" : `${versions.toLocaleString("en")} ${versions === 1 ? "version" : "versions"}`;
  return state === "owed"
    ? `move ${counted} of vault.sqlite into records.sqlite`
    : `go on with moving ${counted} of vault.sqlite into records.sqlite`;
}
