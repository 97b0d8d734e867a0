/**
 * What the audit's log says of erasures, holds and restrictions: what was said to be done is done, whatever the stores
 * have of it. Only what was done counts: of what was begun and has no end nothing is known.
 *
 * An entry is not taken at its word in clear: whoever writes to the log's database could make "erase" of "read", and a
 * vault that starts would destroy somebody's keys. What was done stands in a part of it that the vault alone can seal,
 * and that opens in this entry alone.
 */
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { AuditAction } from "../audit/entry.ts";
import { eventsOf, readEntries } from "../audit/events.ts";
import type { AuditEvent } from "../audit/view.ts";
import type { AuditLog, LogQuery } from "../stores/audit-log.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { isSubjectId } from "../stores/subjects.ts";
import { LedgerReader } from "./ledger.ts";
import type { LedgerLine, LedgerState } from "./ledger.ts";

/** What is asked. */
export interface LogParts {
  readonly log: Pick<AuditLog, "find">;
  readonly keys: Pick<AuditKeys, "openParts" | "versionsOf">;
}

const PAGE = 500;

/** Action -> what was done when it was done. */
const STATES = {
  erase: "erased",
  hold: "held",
  "lift-hold": "lifted",
  restrict: "restricted",
  release: "active",
} as const satisfies Partial<Record<AuditAction, LedgerLine["state"]>>;

type Told = keyof typeof STATES;

/** Those that name the person in the part under the person's own key, and have no label. */
const BY_NAME: ReadonlySet<Told> = new Set<Told>(["restrict", "release"]);

/** Of everybody. @throws VaultError `record-tampered`; the stores' */
export async function readLog(parts: LogParts, reader: LedgerReader): Promise<void> {
  const lines = await Promise.all((Object.keys(STATES) as Told[]).map((action) => linesOf(parts, action, {})));
  takeAll(reader, lines.flat());
}

/** Holds of one person that were set and not lifted. */
export async function holdsByLog(parts: LogParts, id: SubjectId): Promise<LedgerState["holds"]> {
  const people = await parts.keys.versionsOf(`person:${id}`);
  if (people.length === 0) return new Map();
  const lines = await Promise.all((["hold", "lift-hold"] as const).map((action) => linesOf(parts, action, { people })));
  const reader = new LedgerReader();
  const own = lines.flat().filter(({ line }) => line.person === id);
  takeAll(reader, own);
  return reader.state.holds;
}

interface Placed {
  readonly line: LedgerLine;
  readonly position: number;
}

function takeAll(reader: LedgerReader, lines: readonly Placed[]): void {
  for (const { line } of lines.toSorted((a, b) => a.position - b.position)) reader.take(line);
}

async function linesOf({ log, keys }: LogParts, action: Told, query: Pick<LogQuery, "people">): Promise<Placed[]> {
  const found: Placed[] = [];
  // The parts of people are opened with a key each, which lies in the key store: only where nothing else says who.
  const only = BY_NAME.has(action) ? undefined : new Set(await keys.versionsOf("vault"));
  let after: number | null = null;
  for (;;) {
    const rows: Awaited<ReturnType<typeof log.find>> = await log.find(
      { ...query, action },
      { order: "oldest", after, limit: PAGE },
    );
    const done = readEntries(rows).filter(({ entry }) => entry.result === "done");
    for (const event of await eventsOf(done, keys, only)) {
      const line = lineOf(event, action);
      if (line !== null) found.push({ line, position: event.position ?? 0 });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return found;
    after = last.position;
  }
}

/** What was done, in words that are sealed under the vault's own key: it opens also where the person's key is not. */
export const doneLabel = (line: LedgerLine): string =>
  "hold" in line ? `${line.state} ${line.person} ${line.hold}` : `${line.state} ${line.person}`;

function lineOf({ people, label, at, details }: AuditEvent, action: Told): LedgerLine | null {
  const state = STATES[action];
  if (state === "restricted" || state === "active") {
    // It takes nothing from anybody, and is taken back in a moment.
    const [person] = people;
    return isSubjectId(person) ? { person, state, at } : null;
  }
  const [said, person, hold, ...more] = label?.split(" ") ?? [];
  if (said !== state || !isSubjectId(person) || more.length > 0) return null;
  if (state === "erased") return hold === undefined ? { person, state, at } : null;
  const { reason } = details;
  return hold === undefined
    ? null
    : { person, state, at, hold, reason: typeof reason === "string" ? reason : "unsaid" };
}
