// `strongroom jobs`: the long work of every process on the same store: what runs, how far it is, what failed and why.
import { given } from "@strongroom/base/command";
import { printableCopy, renderTable, type Style, type Terminal } from "@strongroom/base/terminal";
import type { Job } from "@strongroom/client";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { watch, type Watched } from "./watch.ts";

/** `strongroom jobs`. */
export const jobsCommand: CommandSpec = command({
  name: "jobs",
  heading: "Looking after it",
  summary: "show the long work: what runs and where, how far it is, what failed and why",
  description:
    "A job is cut into partitions, which the processes of a store take in turn; one of them can be asked for all. " +
    "With --watch the table is drawn again every second on a terminal; where output goes elsewhere, each change is " +
    "one line. Ctrl-C ends it.",
  flagGroups: ["client"],
  options: { watch: option("-w, --watch", "keep showing it, until Ctrl-C", given()) },
  examples: [
    { line: "npx strongroom jobs", meaning: "the repair of owed wraps, and whatever else runs" },
    { line: "npx strongroom jobs --watch", meaning: "the same, as it goes on" },
  ],
  run: withService(async (client, { context, options }) => {
    const { terminal, signal } = context;
    const watched = watchedJobs(() => client.jobs());
    if (options.watch) {
      await watch(terminal, watched, signal);
      return;
    }
    const jobs = await watched.look();
    terminal.result(watched.result(jobs), () => watched.view(printableCopy(jobs), terminal));
  }),
});

/** How jobs are watched. */
export function watchedJobs(look: () => Promise<readonly Job[]>): Watched<readonly Job[]> {
  return { look, view: jobsView, result: (jobs) => ({ jobs }), changes: jobChanges };
}

/** A partition of a job. */
type Partition = Job["partitions"][number];

const STATE_STYLE: Readonly<Record<Partition["state"], Style>> = {
  running: "green",
  due: "yellow",
  waiting: "dim",
  finished: "dim",
};

/** One row for each job; below it the partitions that are worked on, and those that something is the matter with. */
function jobsView(jobs: readonly Job[], terminal: Terminal): string {
  if (jobs.length === 0) return "There are no jobs.";
  const overview = renderTable(
    [
      { heading: "JOB" },
      { heading: "PARTITIONS" },
      { heading: "DONE", align: "right" },
      { heading: "FAILED", align: "right" },
      { heading: "SAVED" },
      { heading: "LAST PROBLEM" },
    ],
    jobs.map(({ job, states, done, failed, savedAt, problem }) => [
      job,
      statesText(states),
      number(done),
      number(failed),
      savedAt ?? "-",
      problemText(problem),
    ]),
    terminal.width,
  );
  const told = jobs.flatMap(({ job, partitions }) =>
    partitions
      .filter(({ state, problem }) => state === "running" || problem !== null)
      .map((partition) => ({ job, ...partition })),
  );
  return told.length === 0 ? overview : [overview, "", partitionsTable(told, terminal)].join("\n");
}

function partitionsTable(told: readonly (Partition & { readonly job: string })[], terminal: Terminal): string {
  return renderTable(
    [
      { heading: "JOB" },
      { heading: "PARTITION" },
      { heading: "STATE" },
      { heading: "DONE", align: "right" },
      { heading: "FAILED", align: "right" },
      { heading: "BY" },
      { heading: "SAVED" },
      { heading: "LAST PROBLEM" },
    ],
    told.map(({ job, partition, state, done, failed, holder, savedAt, problem }) => [
      job,
      partition,
      terminal.style(STATE_STYLE[state], state),
      number(done),
      number(failed),
      holder ?? "-",
      savedAt ?? "-",
      problemText(problem),
    ]),
    terminal.width,
  );
}

function statesText(states: Job["states"]): string {
  const found = Object.entries(states).filter(([, count]) => count > 0);
  return found.length === 0 ? "none" : found.map(([state, count]) => `${number(count)} ${state}`).join(", ");
}

const problemText = (problem: Partition["problem"]): string =>
  problem === null ? "-" : `${problem.code} at ${problem.at}`;

const number = (value: number): string => value.toLocaleString("en");

/** A line for each partition that is another one than before: not for the moment alone at which it was saved. */
function jobChanges(before: readonly Job[] | null, now: readonly Job[]): readonly string[] {
  const known = new Set(before?.flatMap(linesOf));
  const lines = now.flatMap(linesOf).filter((line) => !known.has(line));
  return before === null && lines.length === 0 ? ["There are no jobs"] : lines;
}

function linesOf({ job, partitions }: Job): readonly string[] {
  return partitions.map(({ partition, state, done, failed, holder, problem }) => {
    const by = state === "running" && holder !== null ? ` by ${holder}` : "";
    const why = problem === null ? "" : `, last ${problem.code} at ${problem.at}`;
    return `${job} ${partition} ${state}${by}, done ${number(done)}, failed ${number(failed)}${why}`;
  });
}
