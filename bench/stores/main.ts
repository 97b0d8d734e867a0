// `npm run bench:stores`: builds the packages, plays the rows on every store, lets each store grow, prints the table. A
// whole run at full pace also writes its part of docs/performance.md, with its plots and its figures as JSON.

import { parseArgs } from "node:util";

import { buildLibrary } from "../harness/install.ts";
import { loadNow } from "../harness/machine.ts";
import type { Pace } from "../harness/row.ts";
import { DOCS, saveStores } from "../save.ts";

import { growSites } from "./growth.ts";
import { Processes } from "./processes.ts";
import { storesReportOf, type AbsentStore, type StoresReport } from "./report.ts";
import { EFFORTS, ROWS, rowsOf, STORES, type Effort, type StoreKind, type StoreRow } from "./rows.ts";
import { SITES, type Site } from "./sites.ts";
import { storesTableOf } from "./table.ts";
import { messageOf, playTurns } from "./turns.ts";

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

class UsageError extends Error {}

function optionsFrom(args: readonly string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        rows: { type: "string" },
        growth: { type: "boolean" },
        store: { type: "string" },
        rounds: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
      },
    }));
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
  const pace: Pace = values.quick === true ? "quick" : "full";
  const rounds = values.rounds === undefined ? EFFORTS[pace].rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds takes a whole number from 1, not ${String(values.rounds)}`);
  const stores = storesNamed(values.store);
  const isGrowing = values.growth === true || values.rows === undefined;
  const rows = values.rows === undefined ? (values.growth === true ? [] : rowsOf(pace)) : rowsNamed(values.rows);
  return {
    pace,
    effort: { ...EFFORTS[pace], rounds },
    rows: rows.filter(({ store }) => stores.includes(store)),
    growing: isGrowing ? stores.filter((store) => store !== "memory") : [],
    output: values.json === true ? "json" : "table",
    isWhole: pace === "full" && rows === ROWS && values.store === undefined,
  };
}

function rowsNamed(list: string): readonly StoreRow[] {
  return list.split(",").map((id) => {
    const row = ROWS.find((candidate) => candidate.id === id);
    if (row === undefined) throw new UsageError(`there is no row called ${id}`);
    return row;
  });
}

function storesNamed(list: string | undefined): readonly StoreKind[] {
  const known = Object.keys(STORES) as StoreKind[];
  if (list === undefined) return known;
  return list.split(",").map((name) => {
    const kind = known.find((candidate) => candidate === name);
    if (kind === undefined) throw new UsageError(`there is no store called ${name}`);
    return kind;
  });
}

async function run({ pace, effort, rows, growing }: Options): Promise<StoresReport> {
  buildLibrary();
  const loadBefore = loadNow();
  // As they are published.
  const processes = new Processes([]);
  await using cleanup = new AsyncDisposableStack();
  const sites: Site[] = [];
  const absent: AbsentStore[] = [];
  const kinds = new Set([...rows.map(({ store }) => store), ...growing]);
  for (const store of kinds) {
    try {
      sites.push(cleanup.use(await SITES[store]()));
    } catch (error) {
      absent.push({ store, reason: messageOf(error) });
    }
  }
  const onStep = (step: string): void => {
    process.stderr.write(`${step}\n`);
  };
  const played = await playTurns({ rows, sites, effort, processes, onStep });
  const grown = await growSites(
    sites.filter(({ kind }) => growing.includes(kind)),
    { processes, effort, onStep },
  );
  return storesReportOf({
    pace,
    effort,
    loadBefore,
    versions: Object.fromEntries(sites.flatMap(({ kind, version }) => (version === null ? [] : [[kind, version]]))),
    absent,
    rows,
    turns: played.turns,
    sizes: grown.sizes,
    failures: [...played.failures, ...grown.failures],
  });
}

// What was made is removed when the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    process.exit(1);
  });

try {
  const options = optionsFrom(process.argv.slice(2));
  const report = await run(options);
  process.stdout.write(`${options.output === "json" ? JSON.stringify(report, null, 2) : storesTableOf(report)}\n`);
  if (options.isWhole && report.failures.length === 0) saveStores(report, DOCS);
  // A wrong result fails the run; a missed target is a finding, and the table says so.
  process.exitCode = report.failures.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
