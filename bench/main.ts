// `npm run bench`: installs the peers when needed, builds the library, plays the rounds, prints the table. A whole run
// at full pace also writes its part of docs/performance.md, with its plot and its figures as JSON.

import { parseArgs } from "node:util";

import { buildLibrary, installPeers } from "./harness/install.ts";
import { loadNow } from "./harness/machine.ts";
import { reportOf, type Report } from "./harness/report.ts";
import { prepareRevision } from "./harness/revision.ts";
import { describeField, type Entrant, everyContender, playRounds } from "./harness/rounds.ts";
import { defaultRounds, type Pace, type Row, type Target } from "./harness/row.ts";
import { tableOf } from "./harness/table.ts";
import { ROWS } from "./rows.ts";
import { DOCS, savePeers } from "./save.ts";

const USAGE = `npm run bench -- [--rows ID,ID] [--rounds N] [--quick] [--json] [--beside REVISION]
rows: ${ROWS.map(({ id }) => id).join(" ")}`;

interface Options {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly pace: Pace;
  readonly output: "table" | "json";
  /** An earlier revision, measured beside this checkout instead of the peers. */
  readonly beside: string | null;
}

class UsageError extends Error {}

function optionsFrom(args: readonly string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        rows: { type: "string" },
        rounds: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
        beside: { type: "string" },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const pace: Pace = values.quick === true ? "quick" : "full";
  const rounds = values.rounds === undefined ? defaultRounds(pace) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds takes a whole number from 1, not ${String(values.rounds)}`);
  const output = values.json === true ? "json" : "table";
  const beside = values.beside ?? null;
  const rows = rowsNamed(values.rows);
  if (beside === null) return { rows, rounds, pace, output, beside };
  return { rows: rows.map((row) => ({ ...row, targets: noSlowerThan(beside) })), rounds, pace, output, beside };
}

function rowsNamed(list: string | undefined): readonly Row[] {
  if (list === undefined) return ROWS;
  return list.split(",").map((id) => {
    const row = ROWS.find((candidate) => candidate.id === id);
    if (row === undefined) throw new UsageError(`there is no row called ${id}`);
    return row;
  });
}

/** This checkout and the revision, each as its own bench uses it. */
function besideItself(revision: string): readonly Entrant[] {
  const own = everyContender().filter(({ id }) => id === "strongroom");
  return [...own, { id: revision, module: prepareRevision(revision), title: `Strongroom at ${revision}` }];
}

/** A row's only target is then not to be slower than before, but for what a machine's weather does to a median. */
function noSlowerThan(revision: string): readonly Target[] {
  return [{ kind: "ratio", against: revision, atLeast: 0.95 }];
}

async function run(options: Options): Promise<Report> {
  installPeers();
  buildLibrary();
  const loadBefore = loadNow();
  const field = await describeField(options.beside === null ? everyContender() : besideItself(options.beside));
  const { turns, failures } = await playRounds({
    ...options,
    field,
    onTurn: (row, contender, round) =>
      process.stderr.write(`round ${round + 1}/${options.rounds}  ${row.id}  ${contender.id}\n`),
  });
  return reportOf({ ...options, field, loadBefore, turns, failures });
}

try {
  const options = optionsFrom(process.argv.slice(2));
  const report = await run(options);
  process.stdout.write(`${options.output === "json" ? JSON.stringify(report, null, 2) : tableOf(report)}\n`);
  if (options.pace === "full" && options.rows === ROWS && options.beside === null && report.failures.length === 0)
    savePeers(report, DOCS);
  // A wrong result fails the run; a missed target is a finding, and the table says so.
  process.exitCode = report.failures.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
