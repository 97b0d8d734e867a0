/**
 * What a move would take: counted from the table itself, and nothing is changed. No value is in it.
 */
import type { TableFacts } from "./columns.ts";
import { taken } from "./cells.ts";
import type { MoveDatabase } from "./database.ts";
import type { MoveDefinition } from "./definition.ts";
import { PAGE_ROWS } from "./backfill.ts";
import { messageIn } from "./messages.ts";
import { stepPace } from "./step.ts";
import type { StepOptions } from "./step.ts";
import { isEmpty } from "./table.ts";
import type { MovingTable, TableRow } from "./table.ts";

/** One column, as it was found. */
export interface PlannedColumn {
  readonly name: string;
  readonly type: string;
  readonly mayBeNull: boolean;
  readonly nulls: number;
  readonly values: number;
  /** Of the values, those that are messages already. */
  readonly messages: number;
  /** Of the values, those that cannot be moved exactly; reason -> how many. */
  readonly unfit: Readonly<Record<string, number>>;
  /** Bytes of the longest value and of all of them, as JSON or as message. */
  readonly longest: number;
  readonly bytes: number;
}

/** What there is. */
export interface PlannedMove {
  readonly rows: number;
  /** Rows without a value in any of the columns: nothing of them moves. */
  readonly empty: number;
  /** Keys for which `isPersonal` said so. */
  readonly personalKeys: number;
  readonly columns: readonly PlannedColumn[];
  /** What stands in the way, or will before the columns are emptied; sentences. */
  readonly problems: readonly string[];
}

/** Looks at every row. */
export async function planMove(
  {
    database,
    table,
    definition,
  }: { readonly database: MoveDatabase; readonly table: MovingTable; readonly definition: MoveDefinition },
  options: StepOptions & { readonly isPersonal?: (key: string) => boolean },
): Promise<PlannedMove> {
  const pace = stepPace(options);
  const columns = table.facts.columns.map(({ name, type, mayBeNull }) => ({
    ...{ name, type, mayBeNull, nulls: 0, values: 0, messages: 0, longest: 0, bytes: 0 },
    unfit: new Map<string, number>(),
  }));
  let [rows, empty, personalKeys] = [0, 0, 0];
  for (let after: string | null = null; ;) {
    const from: string | null = after;
    const page: readonly TableRow[] = await database.transaction((run) => table.page(run, from, PAGE_ROWS, "all"));
    for (const row of page) {
      rows++;
      if (isEmpty(row)) empty++;
      if (options.isPersonal?.(row.key) === true) personalKeys++;
      columns.forEach((column, index) => {
        const cell = row.cells[index] ?? null;
        if (cell === null) {
          column.nulls++;
          return;
        }
        column.values++;
        const message = messageIn(cell);
        const found = taken(cell);
        if (message !== null) column.messages++;
        else if ("unfit" in found) column.unfit.set(found.unfit, (column.unfit.get(found.unfit) ?? 0) + 1);
        const size = message?.length ?? ("value" in found ? Buffer.byteLength(JSON.stringify(found.value)) : 0);
        column.longest = Math.max(column.longest, size);
        column.bytes += size;
      });
    }
    await pace(page.length);
    const last: TableRow | undefined = page.at(-1);
    if (last === undefined) break;
    after = last.key;
    options.onProgress?.({ step: "plan", done: rows });
  }
  const found = columns.map(({ unfit, ...column }) => ({ ...column, unfit: Object.fromEntries(unfit) }));
  return { rows, empty, personalKeys, columns: found, problems: problemsOf(definition, table.facts, found) };
}

function problemsOf(definition: MoveDefinition, facts: TableFacts, found: readonly PlannedColumn[]): readonly string[] {
  return found.flatMap(({ name, values, messages, unfit }, index) => {
    const { holds } = definition.columns[index] ?? { holds: "values" };
    return [
      ...Object.entries(unfit).map(([why, count]) => `${name}: ${count} of ${values} values cannot be moved: ${why}`),
      ...(holds === "values" && messages > 0
        ? [`${name}: ${messages} of ${values} values are messages already: move it as messages, or as mixed`]
        : []),
      ...(holds === "messages" && messages < values
        ? [`${name}: ${values - messages} of ${values} values are no messages: move it as mixed, or correct them`]
        : []),
      ...(facts.columns[index]?.mayBeNull === false
        ? [`${name} may not be null: drop that constraint before the columns are emptied`]
        : []),
    ];
  });
}
