/**
 * Brings every row into the vault, page by page, beside whoever reads and writes both. Interrupted at any point it goes
 * on: what was being worked on is on record, and is looked at again.
 */
import { mapBounded } from "@strongroom/base/work";
import { carry, isSameRow } from "./carry.ts";
import type { Carried, MoveParts } from "./carry.ts";
import type { Held, MoveCounts } from "./states.ts";
import { NO_COUNTS } from "./states.ts";
import type { TableRow } from "./table.ts";
import type { MovedDocument } from "./target.ts";
import type { StepOptions } from "./step.ts";
import { MOST_NAMED, stepPace } from "./step.ts";

/** A row that was not taken, and why: names of columns, and codes. */
export interface RefusedRow {
  readonly key: string;
  readonly reasons: readonly string[];
}

/** Rows of a page. With documents of a megabyte a page is in memory twice. */
export const PAGE_ROWS = 100;
/** Records that are worked on at once. */
export const AT_ONCE = 8;

/** What a pass came to. */
export interface Backfilled {
  readonly held: Held;
  readonly counts: MoveCounts;
  /** The first of them; all are counted. */
  readonly refused: readonly RefusedRow[];
}

/** Counts, and names, what became of a row. */
type Note = (key: string, carried: Noted) => void;

type Noted = Exclude<Carried, object> | { readonly refused: readonly string[] };

/** One pass over the table, or what is left of one. */
export async function backfill(parts: MoveParts, taken: Held, options: StepOptions): Promise<Backfilled> {
  const { database, table, states } = parts;
  const pace = stepPace(options);
  const refused: RefusedRow[] = [];
  let held = taken;
  let counts = held.state.progress.counts;
  const note: Note = (key, carried) => {
    counts = counted(counts, carried);
    if (typeof carried === "object" && refused.length < MOST_NAMED) refused.push({ key, reasons: carried.refused });
  };
  if (held.state.progress.after === null) counts = NO_COUNTS;
  for (const key of held.state.progress.taken) {
    const carried = await carry(parts, key, "remove");
    // The rows that are there still are counted with their page.
    if (typeof carried === "object" && carried.isOfNoRow) note(key, carried);
  }
  for (;;) {
    const { after } = held.state.progress;
    const rows = await database.transaction((run) => table.page(run, after, PAGE_ROWS, "with-values"));
    const last = rows.at(-1);
    if (last === undefined) break;
    held = await states.save(held, { ...held.state.progress, taken: rows.map(({ key }) => key) });
    await carryPage(parts, rows, note);
    held = await states.save(held, { ...held.state.progress, after: last.key, taken: [], counts });
    options.onProgress?.({ step: "backfill", done: total(counts) });
    await pace(rows.length);
  }
  return { held, counts, refused };
}

/** New records together, in one transaction of the vault; then whatever is not so simple, one by one. */
async function carryPage(parts: MoveParts, rows: readonly TableRow[], note: Note): Promise<void> {
  const { documents, target, database, table } = parts;
  const items: MovedDocument[] = [];
  const made = await mapBounded(rows, AT_ONCE, (row) => documents.of(row));
  rows.forEach(({ key }, index) => {
    const found = made[index];
    if (found?.kind === "refused") note(key, { refused: found.reasons });
    if (found?.kind === "document") items.push({ id: key, document: found.document, subject: found.subject });
  });
  const outcomes = items.length === 0 ? [] : await target.create(items);
  const keys = items.map(({ id }) => id);
  const now = new Map(
    (await database.transaction((run) => table.rows(run, keys))).map((row) => [row.key, row] as const),
  );
  const before = new Map(rows.map((row) => [row.key, row] as const));
  await mapBounded(keys, AT_ONCE, async (key, index) => {
    const outcome = outcomes[index];
    if (typeof outcome === "object") {
      note(key, { refused: [outcome.refused] });
      return;
    }
    if (outcome === "made" && isSameRow(before.get(key), now.get(key))) {
      note(key, "created");
      return;
    }
    // It was there already, or the row has changed since it was read.
    const carried = await carry(parts, key, outcome === "made" ? "remove" : "keep");
    note(key, outcome === "made" && (carried === "same" || carried === "replaced") ? "created" : carried);
  });
}

function counted(counts: MoveCounts, carried: Noted): MoveCounts {
  if (typeof carried === "object") return { ...counts, refused: counts.refused + 1 };
  if (carried === "removed" || carried === "nothing") return counts;
  return { ...counts, [carried]: counts[carried] + 1 };
}

const total = ({ created, replaced, same, refused }: MoveCounts): number => created + replaced + same + refused;
