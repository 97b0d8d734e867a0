// A command that plays rows of its own on SQLite and PostgreSQL, by what the stores are measured with.

import { parseArgs } from "node:util";

import type { Pace } from "../harness/row.ts";

import { COMMON_OPTIONS, namesIn, openBench, roundsOf, rowsNamed, runCommand } from "./command.ts";
import { storesReportOf, type StoresReport } from "./report.ts";
import type { Effort, StoreKind, StoreRow } from "./rows.ts";
import { storesTableOf } from "./table.ts";
import { playTurns } from "./turns.ts";

const STORES: readonly StoreKind[] = ["sqlite", "postgres"];

export interface RowsCommand {
  readonly rows: readonly StoreRow[];
  readonly efforts: Readonly<Record<Pace, Effort>>;
  /** Keeps what a whole run at full pace found. */
  readonly save: (report: StoresReport) => void;
}

/** @param name as npm runs it */
export async function runRows(name: string, { rows: all, efforts, save }: RowsCommand): Promise<void> {
  const usage = `npm run ${name} -- [--rows ID,ID] [--store KIND,KIND] [--rounds N] [--quick] [--json]
rows: ${all.map(({ id }) => id).join(" ")}`;
  await runCommand(usage, async (args) => {
    const { values } = parseArgs({ args: [...args], options: COMMON_OPTIONS });
    const pace: Pace = values.quick === true ? "quick" : "full";
    const effort = { ...efforts[pace], rounds: roundsOf(values.rounds, efforts[pace].rounds) };
    const stores = namesIn(values.store, STORES, "store");
    const named = values.rows === undefined ? all : rowsNamed(values.rows, all);
    const rows = named.filter(({ store }) => stores.includes(store));

    await using bench = await openBench(rows.map(({ store }) => store));
    const { turns, failures } = await playTurns({ ...bench, rows, effort });
    const report = storesReportOf({ ...bench, pace, effort, rows, turns, failures, sizes: [] });
    process.stdout.write(`${values.json === true ? JSON.stringify(report, null, 2) : storesTableOf(report)}\n`);
    if (pace === "full" && rows.length === all.length && failures.length === 0) save(report);
    return failures.length === 0;
  });
}
