// `npm run bench:stores`: builds the packages, plays the rows on every store, lets each store grow, prints the table. A
// whole run at full pace also writes its part of docs/performance.md, with its plots and its figures as JSON.

import { parseArgs } from "node:util";

import type { Pace } from "../harness/row.ts";
import { DOCS, saveStores } from "../save.ts";

import { growSites } from "./growth.ts";
import { storesReportOf, type StoresReport } from "./report.ts";
import { EFFORTS, ROWS, rowsOf, STORES, type Effort, type StoreKind, type StoreRow } from "./rows.ts";
import { COMMON_OPTIONS, namesIn, openBench, roundsOf, rowsNamed, runCommand } from "./command.ts";
import { storesTableOf } from "./table.ts";
import { playTurns } from "./turns.ts";

const USAGE = `npm run bench:stores -- [--rows ID,ID] [--growth] [--store KIND,KIND] [--rounds N] [--quick] [--json]
stores: ${Object.keys(STORES).join(" ")}
rows: ${ROWS.map(({ id }) => id).join(" ")}`;

interface Options {
  readonly pace: Pace;
  readonly effort: Effort;
  readonly rows: readonly StoreRow[];
  readonly growing: readonly StoreKind[];
  readonly output: "table" | "json";
  /** Whether nothing was left out, so that the page can be written. */
  readonly isWhole: boolean;
}

function optionsFrom(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: { ...COMMON_OPTIONS, growth: { type: "boolean" } } });
  const pace: Pace = values.quick === true ? "quick" : "full";
  const rounds = roundsOf(values.rounds, EFFORTS[pace].rounds);
  const stores = namesIn(values.store, Object.keys(STORES) as StoreKind[], "store");
  const isGrowing = values.growth === true || values.rows === undefined;
  const rows = values.rows === undefined ? (values.growth === true ? [] : rowsOf(pace)) : rowsNamed(values.rows, ROWS);
  return {
    pace,
    effort: { ...EFFORTS[pace], rounds },
    rows: rows.filter(({ store }) => stores.includes(store)),
    growing: isGrowing ? stores.filter((store) => store !== "memory") : [],
    output: values.json === true ? "json" : "table",
    isWhole: pace === "full" && rows === ROWS && values.store === undefined,
  };
}

async function run({ pace, effort, rows, growing }: Options): Promise<StoresReport> {
  await using bench = await openBench([...rows.map(({ store }) => store), ...growing]);
  const { sites, absent, versions, loadBefore, processes, onStep } = bench;
  const played = await playTurns({ rows, sites, effort, processes, onStep });
  const grown = await growSites(
    sites.filter(({ kind }) => growing.includes(kind)),
    { processes, effort, onStep },
  );
  return storesReportOf({
    pace,
    effort,
    loadBefore,
    versions,
    absent,
    rows,
    turns: played.turns,
    sizes: grown.sizes,
    failures: [...played.failures, ...grown.failures],
  });
}

await runCommand(USAGE, async (args) => {
  const options = optionsFrom(args);
  const report = await run(options);
  process.stdout.write(`${options.output === "json" ? JSON.stringify(report, null, 2) : storesTableOf(report)}\n`);
  if (options.isWhole && report.failures.length === 0) saveStores(report, DOCS);
  return report.failures.length === 0;
});
