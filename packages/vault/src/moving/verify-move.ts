/**
 * Holds every row of the table against the vault, and every record of the collection against the table, by content.
 * Others write meanwhile: what seems wrong counts only if it stays wrong. Findings have a key and the names of columns.
 */
import { setTimeout as delay } from "node:timers/promises";
import { mapBounded } from "@strongroom/base/work";
import type { MoveParts } from "./carry.ts";
import { differing } from "./documents.ts";
import type { RowDocument } from "./documents.ts";
import { AT_ONCE, PAGE_ROWS } from "./backfill.ts";
import { STAGES } from "./stages.ts";
import type { MoveStage } from "./stages.ts";
import { MOST_NAMED, stepPace } from "./step.ts";
import type { StepOptions } from "./step.ts";
import { isEmpty } from "./table.ts";
import type { TableRow } from "./table.ts";
import type { StoredDocument } from "./target.ts";

/** Something that is not the same on both sides. */
export interface MoveFinding {
  readonly key: string;
  /**
   * `absent`: no record of a row. `differs`: in `columns`. `refused`: the row cannot be moved, for `reasons`.
   * `without-row`: a record of no row. `emptied`: a record whose row has no values, while the table is written.
   */
  readonly kind: "absent" | "differs" | "refused" | "without-row" | "emptied";
  readonly columns?: readonly string[];
  readonly reasons?: readonly string[];
}

/** What was looked at, and found. */
export interface MoveVerdict {
  readonly rows: number;
  readonly records: number;
  /** How many there are; `findings` has the first thousand. */
  readonly found: number;
  readonly findings: readonly MoveFinding[];
}

/** Looks at what seems wrong, and how long between two, in milliseconds. */
const LOOKS = 8;
const BETWEEN_MS = 100;

/** Looks at all of it. Nothing is changed. */
export async function verifyMove(parts: MoveParts, stage: MoveStage, options: StepOptions): Promise<MoveVerdict> {
  const pace = stepPace(options);
  const findings: MoveFinding[] = [];
  const { database, table, target } = parts;
  let [rows, records, found] = [0, 0, 0];
  const examine = async (keys: readonly string[], read: readonly (TableRow | undefined)[]): Promise<void> => {
    const seen = await mapBounded(keys, AT_ONCE, (key, index) => settled(parts, key, read[index], stage));
    for (const finding of seen) {
      if (finding === null) continue;
      found++;
      if (findings.length < MOST_NAMED) findings.push(finding);
    }
  };
  for (let after: string | null = null; ;) {
    const from: string | null = after;
    const page: readonly TableRow[] = await database.transaction((run) =>
      table.page(run, from, PAGE_ROWS, "with-values"),
    );
    const last: TableRow | undefined = page.at(-1);
    if (last === undefined) break;
    await examine(
      page.map(({ key }) => key),
      page,
    );
    rows += page.length;
    after = last.key;
    options.onProgress?.({ step: "verify", done: rows });
    await pace(page.length);
  }
  for await (const ids of target.ids()) {
    records += ids.length;
    const now = await database.transaction((run) => table.rows(run, ids));
    const rowOf = new Map(now.map((row) => [row.key, row] as const));
    const doubtful = ids.filter((id) => {
      const row = rowOf.get(id);
      return row === undefined || (STAGES[stage].writes === "both" && isEmpty(row));
    });
    await examine(
      doubtful,
      doubtful.map((id) => rowOf.get(id)),
    );
    await pace(ids.length);
  }
  return { rows, records, found, findings };
}

/** What is wrong with one row and its record, if it stays so. */
async function settled(
  parts: MoveParts,
  key: string,
  first: TableRow | undefined,
  stage: MoveStage,
): Promise<MoveFinding | null> {
  const { database, table, documents, target } = parts;
  let row = first;
  for (let look = 1; ; look++) {
    const finding = findingOf(key, await documents.of(row), row, await target.read(key), stage);
    if (finding === null || look === LOOKS) return finding;
    await delay(BETWEEN_MS);
    [row] = await database.transaction((run) => table.rows(run, [key]));
  }
}

function findingOf(
  key: string,
  wanted: RowDocument,
  row: TableRow | undefined,
  stored: StoredDocument | null,
  stage: MoveStage,
): MoveFinding | null {
  if (wanted.kind === "refused") return { key, kind: "refused", reasons: wanted.reasons };
  if (wanted.kind === "nothing") {
    if (stored === null) return null;
    if (row === undefined) return { key, kind: "without-row" };
    return STAGES[stage].writes === "both" && stage !== "refilling" ? { key, kind: "emptied" } : null;
  }
  if (stored === null) return { key, kind: "absent" };
  const columns = differing(stored.document, wanted.document);
  return columns.length === 0 ? null : { key, kind: "differs", columns };
}
