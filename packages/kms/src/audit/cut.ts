// What a cut of the audit takes and what it leaves: the texts of old entries go, their hashes stay, and so do the texts
// of log events, which explain what is missing. Read by pages: an audit may have millions of entries, and a server
// answers meanwhile.

import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Schema } from "../store/schema.ts";
import { asLogEvent, logEvent, timeOf } from "./log-event.ts";
import type { LogEvent } from "./log-event.ts";

const PAGE = 2000;

/** Which texts go. */
export interface Cut {
  /** The last entry that is looked at; 0 if there is none so old. */
  readonly through: number;
  readonly removed: number;
  /** Log events up to there. */
  readonly kept: readonly number[];
}

/** The cut of the first entries that are all older than `before` (milliseconds). */
export async function planCut(db: Kysely<Schema>, before: number): Promise<Cut> {
  const through = await lastBefore(db, before);
  const kept: number[] = [];
  let [last, texts] = [0, 0];
  for (let rows = await entriesAfter(db, last, through); rows.length > 0;) {
    texts += rows.filter(({ event }) => event !== null).length;
    for (const { seq, event } of rows) if (event !== null && asLogEvent(event) !== null) kept.push(seq);
    last = rows.at(-1)?.seq ?? through;
    await setImmediate();
    rows = await entriesAfter(db, last, through);
  }
  return { through, removed: texts - kept.length, kept };
}

/** The last of the first entries that are all older, 0 if there is none. */
async function lastBefore(db: Kysely<Schema>, before: number): Promise<number> {
  let through = 0;
  for (;;) {
    const rows = await entriesAfter(db, through, Number.MAX_SAFE_INTEGER);
    if (rows.length === 0) return through;
    for (const { seq, event } of rows) {
      if (event !== null && (timeOf(event) ?? 0) >= before) return through;
      through = seq;
    }
    await setImmediate();
  }
}

const entriesAfter = (
  db: Kysely<Schema>,
  after: number,
  through: number,
): Promise<{ seq: number; event: string | null }[]> =>
  db
    .selectFrom("audit")
    .select(["seq", "event"])
    .where("seq", ">", after)
    .where("seq", "<=", through)
    .orderBy("seq")
    .limit(PAGE)
    .execute();

/** The entry that says what went: it must be signed before, or with, the removal of the texts. */
export const cutEvent = (
  { through, removed, kept }: Cut,
  { before, by, at }: { readonly before: number; readonly by: string; readonly at: number },
): LogEvent<"PruneAudit"> =>
  logEvent("PruneAudit", { through, before: new Date(before).toISOString(), removed, kept, by }, at);

/** Removes the texts of the entries after `after` up to `through`, but for those that are kept. */
export async function removeTexts(
  db: Kysely<Schema>,
  { kept }: Pick<Cut, "kept">,
  { after, through }: { readonly after: number; readonly through: number },
): Promise<void> {
  await sql`
    update audit set event = null
    where seq > ${after} and seq <= ${through} and event is not null
      and seq not in (select value from json_each(${JSON.stringify(kept)}))`.execute(db);
}
