// What the commands that measure stores have in common: their options, what a run is made on, and how it ends.

import type { ParseArgsConfig } from "node:util";

import { buildLibrary } from "../harness/install.ts";
import { loadNow } from "../harness/machine.ts";

import { Processes } from "./processes.ts";
import type { AbsentStore, StoresReport } from "./report.ts";
import type { StoreKind, StoreRow } from "./rows.ts";
import { SITES, type Site } from "./sites.ts";
import { messageOf } from "./turns.ts";

/** What every such command takes. */
export const COMMON_OPTIONS = {
  rows: { type: "string" },
  store: { type: "string" },
  rounds: { type: "string" },
  quick: { type: "boolean" },
  json: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

/** The command was not understood. */
export class UsageError extends Error {}

/** @throws UsageError */
export function roundsOf(given: string | undefined, otherwise: number): number {
  const rounds = given === undefined ? otherwise : Number(given);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds takes a whole number from 1, not ${String(given)}`);
  return rounds;
}

/** Those of the known names that a list has; all when it was left out. @throws UsageError */
export function namesIn<Name extends string>(
  list: string | undefined,
  known: readonly Name[],
  what: string,
): readonly Name[] {
  if (list === undefined) return known;
  return list.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new UsageError(`there is no ${what} called ${name}`);
    return found;
  });
}

/** @throws UsageError */
export function rowsNamed(list: string, rows: readonly StoreRow[]): readonly StoreRow[] {
  const ids = namesIn(
    list,
    rows.map(({ id }) => id),
    "row",
  );
  return rows.filter(({ id }) => ids.includes(id));
}

/** What a run is made on. What was made goes when it is disposed of. */
export interface Bench extends AsyncDisposable {
  readonly processes: Processes;
  readonly sites: readonly Site[];
  readonly absent: readonly AbsentStore[];
  /** Of the databases. */
  readonly versions: StoresReport["versions"];
  readonly loadBefore: number;
  readonly onStep: (step: string) => void;
}

/** Builds the library, and opens a site for each kind of store. */
export async function openBench(kinds: readonly StoreKind[]): Promise<Bench> {
  buildLibrary();
  const loadBefore = loadNow();
  await using cleanup = new AsyncDisposableStack();
  const sites: Site[] = [];
  const absent: AbsentStore[] = [];
  for (const store of new Set(kinds)) {
    try {
      sites.push(cleanup.use(await SITES[store]()));
    } catch (error) {
      absent.push({ store, reason: messageOf(error) });
    }
  }
  const made = cleanup.move();
  return {
    // As they are published.
    processes: new Processes([]),
    sites,
    absent,
    versions: Object.fromEntries(sites.flatMap(({ kind, version }) => (version === null ? [] : [[kind, version]]))),
    loadBefore,
    onStep: (step) => {
      process.stderr.write(`${step}\n`);
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/**
 * Runs the command with the arguments of this process. A wrong result fails it; a missed target is a finding, and the
 * table says so.
 */
export async function runCommand(usage: string, run: (args: readonly string[]) => Promise<boolean>): Promise<void> {
  // What was made is removed when the process exits.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      process.exit(1);
    });
  try {
    process.exitCode = (await run(process.argv.slice(2))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError) && !isOfArguments(error)) throw error;
    process.stderr.write(`${messageOf(error)}\n${usage}\n`);
    process.exitCode = 2;
  }
}

const isOfArguments = (error: unknown): boolean =>
  error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
