// `npm run bench:scopes`: a vault in each scope beside the same rows in clear, on SQLite and PostgreSQL. A whole run at
// full pace also writes its part of docs/performance.md, with its figures as JSON.

import { parseArgs } from "node:util";

import type { Pace } from "../harness/row.ts";
import { DOCS, saveScopes } from "../save.ts";
import { COMMON_OPTIONS, namesIn, openBench, roundsOf, rowsNamed, runCommand } from "../stores/command.ts";
import { storesReportOf } from "../stores/report.ts";
import type { StoreKind } from "../stores/rows.ts";
import { storesTableOf } from "../stores/table.ts";
import { playTurns } from "../stores/turns.ts";
import { SCOPE_EFFORTS, SCOPE_ROWS } from "./rows.ts";

const STORES: readonly StoreKind[] = ["sqlite", "postgres"];
const USAGE = `npm run bench:scopes -- [--rows ID,ID] [--store KIND,KIND] [--rounds N] [--quick] [--json]
rows: ${SCOPE_ROWS.map(({ id }) => id).join(" ")}`;

await runCommand(USAGE, async (args) => {
  const { values } = parseArgs({ args: [...args], options: COMMON_OPTIONS });
  const pace: Pace = values.quick === true ? "quick" : "full";
  const effort = { ...SCOPE_EFFORTS[pace], rounds: roundsOf(values.rounds, SCOPE_EFFORTS[pace].rounds) };
  const stores = namesIn(values.store, STORES, "store");
  const named = values.rows === undefined ? SCOPE_ROWS : rowsNamed(values.rows, SCOPE_ROWS);
  const rows = named.filter(({ store }) => stores.includes(store));

  await using bench = await openBench(rows.map(({ store }) => store));
  const { turns, failures } = await playTurns({ ...bench, rows, effort });
  const report = storesReportOf({ ...bench, pace, effort, rows, turns, failures, sizes: [] });
  process.stdout.write(`${values.json === true ? JSON.stringify(report, null, 2) : storesTableOf(report)}\n`);
  if (pace === "full" && rows.length === SCOPE_ROWS.length && failures.length === 0) saveScopes(report, DOCS);
  return failures.length === 0;
});
