/**
 * Whether somebody is restricted, by what the audit's log has of it.
 */
import { parseEntry } from "../audit/entry-text.ts";
import type { LogRow } from "../stores/audit-log.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { VerifiedAudit } from "./parts.ts";

/** What was done last -> what the person is since. */
const STATES = { restrict: "restricted", release: "active" } as const;

/** Entries of one kind that are looked through. */
const LOOKED_THROUGH = 100;

/**
 * The state that a person is in by the log: what was done last and was done. Null: it cannot be told, because something
 * is under way, or nothing was ever done, or it was forgotten.
 */
export async function restrictionOf(
  { log, keys }: Pick<VerifiedAudit, "log" | "keys">,
  id: SubjectId,
): Promise<(typeof STATES)[keyof typeof STATES] | null> {
  const people = await keys.versionsOf(`person:${id}`);
  if (people.length === 0) return null;
  let last: { readonly position: number; readonly state: "restricted" | "active" | null } | null = null;
  for (const [action, state] of Object.entries(STATES)) {
    const page = { order: "newest", after: null, limit: LOOKED_THROUGH } as const;
    const rows = await log.find({ people, action }, page);
    const [row] = rows.filter((one) => resultOf(one) !== "refused");
    if (row === undefined || (last !== null && last.position > row.position)) continue;
    last = { position: row.position, state: resultOf(row) === "done" ? state : null };
  }
  return last?.state ?? null;
}

/** `begun`: it may have been done, or not. */
function resultOf({ text }: LogRow): "begun" | "done" | "refused" {
  const result = text === null ? "begun" : (parseEntry(text)?.result ?? "begun");
  return result === "begun" || result === "done" ? result : "refused";
}
