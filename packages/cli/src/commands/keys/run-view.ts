// How a run is shown: a few lines for a screen, one line for each step elsewhere, and a summary when it has ended.
import { duration, renderTable, type Style, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { ConvergenceRun, ConvergenceStatus } from "@strongroom/client";
import type { Watched } from "../watch.ts";
import { bytesText, counted, dollarsText, number } from "./key-text.ts";

const PHASES: Readonly<Record<ConvergenceRun["phase"], string>> = {
  flip: "the declared keys are put in force",
  add: "items get their new wraps, or new messages",
  hold: "all have them; old ones are kept until strongroom keys apply runs again",
  drop: "old wraps and old messages go",
  undo: "back to the keys of before",
  end: "over",
};

const STATES: Readonly<Record<ConvergenceRun["state"], Style>> = {
  running: "green",
  paused: "yellow",
  done: "green",
  cancelled: "red",
  undone: "yellow",
};

/** Whether nothing more will happen by itself. */
export function isOver(run: ConvergenceRun): boolean {
  return !isUnderWay(run) || (run.phase === "hold" && run.options.keepOld);
}

function isUnderWay({ state }: ConvergenceRun): boolean {
  return state === "running" || state === "paused";
}

/** How a run is watched. */
export function watchedRun(look: () => Promise<ConvergenceStatus>): Watched<ConvergenceStatus> {
  return { look, view: runView, result: (status) => status, changes: runChanges };
}

/** Widest label, and what stands between it and what it is of. */
const LABEL = 11;

/** Where a run is; `status` can be printed. */
export function runView({ run, fleet }: ConvergenceStatus, terminal: Terminal): string {
  if (run === null)
    return [
      wrapped("There was no run yet. strongroom keys plan shows what there is to do.", terminal.width),
      ...fleetLines(fleet, terminal),
    ].join("\n");
  const { progress } = run;
  const lines: readonly (readonly [label: string, text: string])[] = [
    ["RUN", `${run.id} ${terminal.style(STATES[run.state], run.state)}`],
    ["BEGUN", `${run.beganAt} by ${run.by}`],
    ...(run.endedAt === null ? [] : [["ENDED", run.endedAt] as const]),
    ...(run.reason === null ? [] : [["REASON", run.reason] as const]),
    ...(run.phase === "end" ? [] : [["PHASE", `${run.phase}: ${PHASES[run.phase]}`] as const]),
    ["DONE", doneText(run)],
    ...(progress.failed === 0
      ? []
      : [
          ["FAILED", `${terminal.style("red", number(progress.failed))}; strongroom keys failures lists them`] as const,
        ]),
    ["KMS CALLS", callsText(run)],
    ...(progress.waits === null ? [] : [["WAITS", terminal.style("yellow", progress.waits)] as const]),
    ...(run.undoable && isUnderWay(run) ? [["UNDO", "possible: strongroom keys undo"] as const] : []),
  ];
  return [
    ...lines.map(([label, text]) => wrapped(`${label.padEnd(LABEL)}${text}`, terminal.width, LABEL)),
    ...fleetLines(fleet, terminal),
  ].join("\n");
}

/** How far the phase is, at which rate, and how long it takes still. */
function doneText({ state, progress: { of, done, rate, remainingSeconds } }: ConvergenceRun): string {
  const share = of === null || of === 0 ? "" : ` (${Math.floor((100 * Math.min(done, of)) / of)} %)`;
  const all = of === null ? number(done) : `${number(done)} of ${number(of)}${share}`;
  if (state !== "running") return all;
  const left = remainingSeconds === null ? "" : `, about ${duration(remainingSeconds)} left`;
  return `${all}, ${number(Math.round(rate))}/s${left}`;
}

function callsText({ forecast, progress: { calls, throttled } }: ConvergenceRun): string {
  const made = calls.reduce((sum, line) => sum + line.calls, 0);
  return `${number(made)} of ${number(forecast.total)} foreseen, ${number(throttled)} throttled`;
}

function fleetLines(fleet: ConvergenceStatus["fleet"], terminal: Terminal): readonly string[] {
  const alive = fleet.filter(({ isAlive }) => isAlive);
  const working = alive.filter(({ works }) => works).length;
  const told = [`${number(alive.length)} alive, ${number(working)} at work`];
  for (const { process, knowsInForce, knowsDeclared, declaresScopes } of alive)
    if (!knowsInForce) told.push(`${process} does not know the keys in force, and does not write`);
    else if (!knowsDeclared) told.push(`${process} does not know the declared keys`);
    else if (!declaresScopes) told.push(`${process} declares other scopes, and writes in them`);
  return told.map((text, index) =>
    wrapped(
      `${(index === 0 ? "PROCESSES" : "").padEnd(LABEL)}${index === 0 ? text : terminal.style("yellow", text)}`,
      terminal.width,
      LABEL,
    ),
  );
}

/** So many lines for one phase, where output is no terminal. */
const STEPS = 10;

/** One line where the run is in another phase, waits for something else, has more failures, or a tenth more is done. */
function runChanges(before: ConvergenceStatus | null, { run }: ConvergenceStatus): readonly string[] {
  if (run === null) return before === null ? ["There was no run yet"] : [];
  const earlier = before?.run ?? null;
  if (earlier !== null && stepOf(earlier) === stepOf(run)) return [];
  const { state, phase, reason, progress } = run;
  const parts = [
    `${state === "running" ? "" : `${state}${reason === null ? "" : ` (${reason})`}, `}${phase}: ${doneText(run)}`,
    ...(progress.failed === 0 ? [] : [`${number(progress.failed)} failed`]),
    `KMS calls ${callsText(run)}`,
    ...(progress.waits === null ? [] : [`waits: ${progress.waits}`]),
  ];
  return [parts.join(", ")];
}

function stepOf({ id, state, phase, progress: { of, done, failed, waits } }: ConvergenceRun): string {
  const step = of === null || of === 0 ? 0 : Math.floor((STEPS * done) / of);
  return JSON.stringify([id, state, phase, step, failed, waits]);
}

/** What a run came to, beside what was foreseen; `run` can be printed. */
export function summaryView(run: ConvergenceRun, terminal: Terminal): string {
  const { forecast, progress } = run;
  const keyOf = (line: { readonly region: string; readonly operation: string }): string =>
    `${line.region}\n${line.operation}`;
  const was = new Map(progress.calls.map((line) => [keyOf(line), line]));
  const foreseen = new Map(forecast.calls.map((line) => [keyOf(line), line]));
  const table = renderTable(
    [
      { heading: "REGION" },
      { heading: "OPERATION" },
      { heading: "KMS CALLS", align: "right" },
      { heading: "FORESEEN", align: "right" },
    ],
    [...new Map([...foreseen, ...was])].map(([key, { region, operation }]) => [
      region === "" ? "-" : region,
      operation,
      number(was.get(key)?.calls ?? 0),
      number(foreseen.get(key)?.calls ?? 0),
    ]),
    terminal.width,
  );
  const made = progress.calls.reduce((sum, line) => sum + line.calls, 0);
  const said = [
    `${terminal.style(STATES[run.state], endText(run))}: ${counted(progress.done, "item")} in ` +
      `${duration(progress.seconds)} (foreseen ${duration(forecast.seconds)}), ` +
      `${counted(made, "KMS call")} (foreseen ${number(forecast.total)}), ` +
      `${dollarsText((made / 10_000) * forecast.price)}, ${bytesText(progress.bytes)} written, ` +
      `${number(progress.throttled)} throttled.`,
    ...(progress.failed === 0 ? [] : [`${counted(progress.failed, "item")} failed: strongroom keys failures.`]),
    ...(run.phase === "hold"
      ? ["Old wraps are kept. strongroom keys apply drops them, strongroom keys undo goes back."]
      : []),
  ];
  const lines = said.map((line) => wrapped(line, terminal.width));
  return progress.calls.length + forecast.calls.length === 0 ? lines.join("\n") : [table, "", ...lines].join("\n");
}

function endText({ state, phase, reason }: ConvergenceRun): string {
  const why = reason === null ? "" : ` (${reason})`;
  return phase === "hold" && state === "running"
    ? "Holds"
    : `${state.slice(0, 1).toUpperCase()}${state.slice(1)}${why}`;
}
