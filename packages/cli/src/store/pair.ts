// Do the stores of an installation belong together? Those of records and keys have each other's id, from the first
// start on, and the audit's log has that of the records. It is told from the gates, so that a look can say it and a
// start can refuse before it makes anything.
import { pairProblem as gatesProblem, VAULT_ERRORS } from "@strongroom/vault";
import { placeText } from "../config/store-url.ts";
import { CliError } from "../errors.ts";
import { postgresAccess } from "./connect.ts";
import { isLogKnown, logProblem } from "./log-belonging.ts";
import type { StoreParts } from "./open.ts";
import { belongingProblem, type PairProblem, seenGate, type SeenGate } from "./seen-gate.ts";
import { sqliteFiles } from "./sqlite-state.ts";
import type { StoreRole } from "./which.ts";

/** Null: nothing speaks against it, as far as can be told. What is wrong with one of them is told of that one. */
export function pairProblem(records: SeenGate, keys: SeenGate): PairProblem | null {
  if (records === "unusable" || keys === "unusable") return null;
  if (records === "absent")
    return keys === "absent" || keys.peer === null
      ? null
      : belongingProblem("key-store-foreign", "the key store belongs to records, and there are none here");
  if (keys === "absent")
    return records.peer === null
      ? null
      : belongingProblem(
          "key-store-lost",
          "the records belong to a key store, and there is none where it is configured",
        );
  const code = gatesProblem(records, keys);
  return code === null ? null : belongingProblem(code, SAID[code]);
}

const SAID = {
  "key-store-foreign": "the key store belongs to other records",
  "key-store-lost": "the records belong to another key store",
} as const;

/** The gates, and what speaks against using them together. */
export interface SeenStores extends Readonly<Record<StoreRole, SeenGate>> {
  readonly problem: PairProblem | null;
  /** Of which of the two the problem is told. */
  readonly of: Exclude<StoreRole, "records">;
}

/** Looks; changes nothing. */
export async function seenStores(parts: StoreParts): Promise<SeenStores> {
  const look = async (): Promise<SeenStores> => {
    const [records, keys] = [await seenGate(parts, "records"), await seenGate(parts, "keys")];
    const audit = await seenGate(parts, "audit");
    const ofPair = pairProblem(records, keys);
    if (ofPair !== null) return { records, keys, audit, problem: ofPair, of: "keys" };
    const isKnown = audit === "absent" && keys !== "absent" && (await isLogKnown(parts));
    return { records, keys, audit, problem: logProblem({ records, audit, isKnown }), of: "audit" };
  };
  const first = await look();
  // Between the two looks another process may have made the one that seemed to be absent: it is there at the next.
  return first.problem === null ? first : look();
}

/**
 * Before a start makes a store: an empty one in the place of one that was lost would be taken for it by whoever looks
 * next, and be in the way of the backup.
 *
 * @param acceptRestore why a log that was lost is given up, where somebody says so
 * @throws CliError `startup-failed`, reported as `key-store-lost`, `key-store-foreign`, `audit-foreign` or
 *   `store-rolled-back`
 */
export async function requireBelonging(parts: StoreParts, acceptRestore?: string): Promise<void> {
  const { problem: found, of } = await seenStores(parts);
  if (found === null || (found.code === "store-rolled-back" && acceptRestore !== undefined)) return;
  throw new CliError("startup-failed", {
    title: VAULT_ERRORS[found.code].title,
    detail: `${placeOf(parts, of)}: ${found.detail}.`,
    remedy: found.remedy,
    reportedCode: found.code,
  });
}

/** Where a store lies, for a person. */
export function placeOf({ config, env }: StoreParts, role: StoreRole): string {
  const access = postgresAccess(config, env, role);
  return access === null
    ? sqliteFiles(config, role).path
    : `PostgreSQL, ${placeText(access.place)}, schema ${access.schema}`;
}
