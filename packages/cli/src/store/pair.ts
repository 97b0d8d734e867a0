// Do the store of the records and that of the keys belong together? Each has the other's id, from the first start on.
// It is told from the two gates alone, so that a look can say it and a start can refuse before it makes anything.
import { existsSync } from "node:fs";
import { type GateState, pairProblem as gatesProblem, VAULT_ERRORS, type VaultErrorCode } from "@strongroom/vault";
import { placeText } from "../config/store-url.ts";
import { CliError } from "../errors.ts";
import { postgresAccess } from "./connect.ts";
import { lookAt } from "./look.ts";
import type { StoreParts } from "./open.ts";
import { sqliteFiles, sqliteState } from "./sqlite-state.ts";
import type { StoreRole } from "./which.ts";

/** What a look at a store found: its gate, that there is no store yet, or that it cannot be told. */
export type SeenGate = GateState | "absent" | "unusable";

/** Why two stores cannot be used together. */
export interface PairProblem {
  readonly code: VaultErrorCode;
  readonly detail: string;
  readonly remedy: string;
}

/** Null: nothing speaks against it, as far as can be told. What is wrong with one of them is told of that one. */
export function pairProblem(records: SeenGate, keys: SeenGate): PairProblem | null {
  if (records === "unusable" || keys === "unusable") return null;
  if (records === "absent")
    return keys === "absent" || keys.peer === null
      ? null
      : problem("key-store-foreign", "the key store belongs to records, and there are none here");
  if (keys === "absent")
    return records.peer === null
      ? null
      : problem("key-store-lost", "the records belong to a key store, and there is none where it is configured");
  const code = gatesProblem(records, keys);
  return code === null ? null : problem(code, SAID[code]);
}

const SAID = {
  "key-store-foreign": "the key store belongs to other records",
  "key-store-lost": "the records belong to another key store",
} as const;

function problem(code: VaultErrorCode, detail: string): PairProblem {
  return { code, detail, remedy: VAULT_ERRORS[code].remedy };
}

/** Both gates, and what speaks against using them together. */
export interface SeenPair extends Readonly<Record<StoreRole, SeenGate>> {
  readonly problem: PairProblem | null;
}

/** Looks; changes nothing. */
export async function seenPair(parts: StoreParts): Promise<SeenPair> {
  const look = async (): Promise<SeenPair> => {
    const [records, keys] = [await seenGate(parts, "records"), await seenGate(parts, "keys")];
    return { records, keys, problem: pairProblem(records, keys) };
  };
  const first = await look();
  // Between the two looks another process may have made the one that seemed to be absent: it is there at the next.
  return first.problem === null ? first : look();
}

/**
 * Before a start makes a store: an empty one in the place of one that was lost would be taken for it by whoever looks
 * next, and be in the way of the backup.
 *
 * @throws CliError `startup-failed`, reported as `key-store-lost` or `key-store-foreign`
 */
export async function requirePair(parts: StoreParts): Promise<void> {
  const { problem: found } = await seenPair(parts);
  if (found === null) return;
  throw new CliError("startup-failed", {
    title: VAULT_ERRORS[found.code].title,
    detail: `${placeOf(parts, "keys")}: ${found.detail}.`,
    remedy: found.remedy,
    reportedCode: found.code,
  });
}

async function seenGate({ config, folder, env }: StoreParts, role: StoreRole): Promise<SeenGate> {
  try {
    const access = postgresAccess(config, env, role);
    if (access !== null) {
      const { store } = await lookAt(access);
      return store.gate ?? (store.version === null ? "absent" : "unusable");
    }
    const { path, state, gate, move } = await sqliteState(folder, role);
    // A file that was emptied is no file that never was: its mark tells that, when it is opened.
    return gate ?? (state === "absent" && move === null && !existsSync(path) ? "absent" : "unusable");
  } catch (error) {
    if (error instanceof CliError) return "unusable";
    throw error;
  }
}

function placeOf({ config, folder, env }: StoreParts, role: StoreRole): string {
  const access = postgresAccess(config, env, role);
  return access === null
    ? sqliteFiles(folder, role).path
    : `PostgreSQL, ${placeText(access.place)}, schema ${access.schema}`;
}
