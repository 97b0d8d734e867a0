// Does the log of the audit belong to the records? It has their id, from the first start on; and the key store has the
// log's newest checkpoint, so that a log that is not there any more is not taken for one that never was.
import { openToRead, type StoreParts } from "./open.ts";
import { belongingProblem, type PairProblem, type SeenGate } from "./seen-gate.ts";

/** What is seen of the three. */
export interface SeenLog {
  readonly records: SeenGate;
  readonly audit: SeenGate;
  /** Whether the key store has a checkpoint of the log. */
  readonly isKnown: boolean;
}

/** Null: nothing speaks against it, as far as can be told. */
export function logProblem({ records, audit, isKnown }: SeenLog): PairProblem | null {
  if (records === "unusable" || audit === "unusable") return null;
  if (audit === "absent")
    return isKnown
      ? belongingProblem(
          "store-rolled-back",
          "the key store knows the audit's log, and there is none where it is configured",
        )
      : null;
  if (audit.peer === null) return null;
  if (records === "absent")
    return belongingProblem("audit-foreign", "the log belongs to records, and there are none here");
  return audit.peer === records.vault ? null : belongingProblem("audit-foreign", "the log belongs to other records");
}

/** Looks into the key store; false where it cannot be told. Changes nothing. */
export async function isLogKnown(parts: StoreParts): Promise<boolean> {
  try {
    const keys = await openToRead(parts, "keys");
    if (keys === null) return false;
    try {
      return (await keys.store.checkpoint.read()) !== null;
    } finally {
      await keys.close();
    }
  } catch {
    // What is wrong with the key store is told of that one.
    return false;
  }
}
