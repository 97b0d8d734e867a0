// The plan of a run: which contenders can do which rows, then rounds in which every contender of a row takes its turn
// in a process of its own. Rounds are interleaved, so a machine that slows down for a while slows all of them, and each
// round begins with another contender.

import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Answer, Order } from "./worker.ts";
import type { Sample } from "./measure.ts";
import { taskOf, type Pace, type Row } from "./row.ts";

export interface Description {
  readonly id: string;
  /** Where it is loaded from. */
  readonly module: string;
  readonly title: string;
  readonly version: string | null;
  readonly rows: readonly string[];
}

/** A contender that could not be loaded on this machine, with the reason it gave. */
export interface Absentee {
  readonly id: string;
  readonly reason: string;
}

export interface Turn {
  readonly row: string;
  readonly contender: string;
  readonly round: number;
  readonly prepareMs: number;
  readonly sample: Sample;
}

/** A turn that ended in an error: a wrong result, a crash or the time limit. It makes the run fail. */
export interface Failure {
  readonly row: string;
  readonly contender: string;
  readonly round: number;
  readonly message: string;
}

export interface Field {
  readonly contenders: readonly Description[];
  readonly absent: readonly Absentee[];
}

const WORKER = new URL("worker.ts", import.meta.url);
const CONTENDERS = new URL("../contenders/", import.meta.url);
/** Stripping the bench's own types costs a process some 45 MiB; with the cache only the first one pays. */
const COMPILE_CACHE = fileURLToPath(new URL("../node_modules/.cache/strongroom-bench", import.meta.url));
const TURN_LIMIT_MS = 300_000;

/** A contender's name and the URL of its module. */
export interface Entrant {
  readonly id: string;
  readonly module: string;
  /** Instead of the title that it gives itself. */
  readonly title?: string;
}

/** Everyone in contenders/. */
export function everyContender(): readonly Entrant[] {
  return readdirSync(CONTENDERS)
    .filter((name) => name.endsWith(".ts"))
    .toSorted()
    .map((name) => ({ id: name.slice(0, -".ts".length), module: new URL(name, CONTENDERS).href }));
}

/** Loads every contender once, each in a process of its own. */
export async function describeField(entrants: readonly Entrant[]): Promise<Field> {
  const contenders: Description[] = [];
  const absent: Absentee[] = [];
  for (const entrant of entrants) {
    const answer = await ask({ kind: "describe", id: entrant.id, module: entrant.module });
    if (answer.kind === "description")
      contenders.push({ title: answer.title, ...entrant, version: answer.version, rows: answer.rows });
    else if (answer.kind === "failure") absent.push({ id: entrant.id, reason: answer.message });
  }
  return { contenders, absent };
}

export interface RoundsOptions {
  readonly rows: readonly Row[];
  readonly field: Field;
  readonly rounds: number;
  readonly pace: Pace;
  /** Told before each turn, for a line of progress. */
  readonly onTurn: (row: Row, contender: Description, round: number) => void;
}

export async function playRounds(
  options: RoundsOptions,
): Promise<{ turns: readonly Turn[]; failures: readonly Failure[] }> {
  const turns: Turn[] = [];
  const failures: Failure[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const row of options.rows) {
      const able = options.field.contenders.filter(({ rows }) => rows.includes(row.id));
      for (const contender of rotated(able, round)) {
        options.onTurn(row, contender, round);
        const answer = await ask({
          kind: "measure",
          id: contender.id,
          module: contender.module,
          row: row.id,
          ...taskOf(row, options.pace),
        });
        const place = { row: row.id, contender: contender.id, round };
        if (answer.kind === "sample") turns.push({ ...place, prepareMs: answer.prepareMs, sample: answer.sample });
        else if (answer.kind === "failure") failures.push({ ...place, message: answer.message });
      }
    }
  }
  return { turns, failures };
}

/** One order to one fresh process. Never rejects: a crash or the time limit is a failure with its reason. */
function ask(order: Order): Promise<Answer> {
  return new Promise((resolve) => {
    // Without this process's own flags: one of them takes the library from its sources.
    const child = fork(WORKER, {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    let stderr = "";
    let answered = false;
    const limit = setTimeout(() => child.kill("SIGKILL"), TURN_LIMIT_MS);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-2_000);
    });
    child.once("message", (answer: Answer) => {
      answered = true;
      child.once("exit", () => {
        resolve(answer);
      });
      // Its work is done and closed. Left to end itself it may hang: Node waits for V8's compiler threads, and one of
      // them may wait for the main thread to collect garbage.
      child.kill("SIGKILL");
    });
    child.once("exit", (code, signal) => {
      clearTimeout(limit);
      if (!answered)
        resolve({
          kind: "failure",
          message: `the process ended with ${signal ?? `code ${String(code)}`} and no answer. ${stderr.trim()}`,
        });
    });
    child.send(order);
  });
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
