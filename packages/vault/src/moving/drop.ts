/**
 * Empties the columns of rows whose values are in the vault, and fills them again on the way back. A row is emptied
 * only while it is as it was read, and what was read is what the vault has; whatever differs is left alone and named.
 */
import { mapBounded } from "@strongroom/base/work";
import { isDeepStrictEqual } from "node:util";
import { AT_ONCE, PAGE_ROWS } from "./backfill.ts";
import { isSameRow } from "./carry.ts";
import type { MoveParts } from "./carry.ts";
import type { Held } from "./states.ts";
import { MOST_NAMED, stepPace } from "./step.ts";
import type { StepOptions } from "./step.ts";
import { isEmpty } from "./table.ts";
import type { TableRow } from "./table.ts";

/** What a pass left as it was. */
export interface Passed {
  readonly held: Held;
  readonly done: number;
  /** Keys of rows that were left, the first thousand. */
  readonly left: readonly string[];
}

/** Empties whatever has its equal in the vault. */
export async function emptyRows(parts: MoveParts, taken: Held, options: StepOptions): Promise<Passed> {
  return pass(parts, taken, { step: "drop", choice: "with-values", options }, async (rows, held) => {
    const { database, table, states } = parts;
    const equal = await mapBounded(rows, AT_ONCE, async (row) => isInVault(parts, row));
    const ready = rows.filter((_, index) => equal[index]);
    return database.transaction(async (run) => {
      // First, so that who has lost the move empties nothing.
      const next = await states.saveIn(run, held, { ...held.state.progress, after: rows.at(-1)?.key ?? null });
      return { next, done: await table.empty(run, ready) };
    });
  });
}

/** Fills empty rows with what the vault has. */
export async function refillRows(parts: MoveParts, taken: Held, options: StepOptions): Promise<Passed> {
  return pass(parts, taken, { step: "refill", choice: "empty", options }, async (rows, held) => {
    const { database, table, states, documents, target } = parts;
    const filled = await mapBounded(rows, AT_ONCE, async (row) => {
      const stored = await target.read(row.key);
      if (stored === null) return null;
      return { key: row.key, document: stored.document, values: await documents.valuesOf(stored.document, row, table) };
    });
    const { next, now } = await database.transaction(async (run) => {
      const saved = await states.saveIn(run, held, { ...held.state.progress, after: rows.at(-1)?.key ?? null });
      const keys = rows.map(({ key }) => key);
      const stillEmpty = new Set((await table.rows(run, keys, "lock")).filter(isEmpty).map(({ key }) => key));
      for (const one of filled) if (one !== null && stillEmpty.has(one.key)) await documents.fill(run, table, one);
      const after = (await table.rows(run, keys)).filter(({ key }) => stillEmpty.has(key));
      return { next: saved, now: new Map(after.map((row) => [row.key, row] as const)) };
    });
    // Somebody who had read the stage of before may have written to the vault meanwhile: what he wrote is newer.
    await mapBounded(filled, AT_ONCE, async (one) => {
      const row = one === null ? undefined : now.get(one.key);
      if (one === null || row === undefined) return;
      const stored = await target.read(one.key);
      if (stored === null || isDeepStrictEqual(stored.document, one.document)) return;
      const { document } = stored;
      const values = await documents.valuesOf(document, row, table);
      await database.transaction(async (run) => {
        const [found] = await table.rows(run, [one.key], "lock");
        if (isSameRow(found, row)) await documents.fill(run, table, { key: one.key, values, document });
      });
    });
    return { next, done: rows.map(({ key }) => key) };
  });
}

/** Whether the vault has what a row has. */
async function isInVault({ documents, target }: MoveParts, row: TableRow): Promise<boolean> {
  const wanted = await documents.of(row);
  if (wanted.kind !== "document") return false;
  const stored = await target.read(row.key);
  return isDeepStrictEqual(stored?.document, wanted.document);
}

interface PassOptions {
  readonly step: "drop" | "refill";
  readonly choice: "with-values" | "empty";
  readonly options: StepOptions;
}

/** Goes over the rows from where another run has stopped. */
async function pass(
  { database, table }: MoveParts,
  taken: Held,
  { step, choice, options }: PassOptions,
  work: (rows: readonly TableRow[], held: Held) => Promise<{ readonly next: Held; readonly done: readonly string[] }>,
): Promise<Passed> {
  const pace = stepPace(options);
  const left: string[] = [];
  let held = taken;
  let count = 0;
  for (;;) {
    const { after } = held.state.progress;
    const rows = await database.transaction((run) => table.page(run, after, PAGE_ROWS, choice));
    if (rows.length === 0) return { held, done: count, left };
    const { next, done } = await work(rows, held);
    held = next;
    count += done.length;
    const isDone = new Set(done);
    for (const { key } of rows) if (!isDone.has(key) && left.length < MOST_NAMED) left.push(key);
    options.onProgress?.({ step, done: count });
    await pace(rows.length);
  }
}
