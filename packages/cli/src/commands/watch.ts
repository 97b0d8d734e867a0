// `--watch`: what a service says, shown again as it changes. On a terminal that draws the view again in its place;
// elsewhere each change is one line, so that a log or a pipe holds what happened and no more. As JSON, each change is
// the whole answer on one line.
import { setTimeout as delay } from "node:timers/promises";
import { printable, printableCopy, type Terminal } from "@strongroom/base/terminal";
import { asCliError } from "../connection.ts";
import { CliError } from "../errors.ts";

/** What is watched, and how it is shown. */
export interface Watched<Answer> {
  readonly look: () => Promise<Answer>;
  /** For a person, from an answer that can be printed. */
  readonly view: (answer: Answer, terminal: Terminal) => string;
  /** The JSON result. */
  readonly result: (answer: Answer) => object;
  /** What changed, one line each; everything, the first time. */
  readonly changes: (before: Answer | null, now: Answer) => readonly string[];
}

/** Milliseconds between two looks: as often as the service asks a region that is not known to be up. */
export const POLL_EVERY_MS = 1000;

/** Where the view goes: one answer, or that there was none this time. */
export interface View<Answer> {
  show(answer: Answer): void;
  away(reason: string): void;
}

/**
 * Looks and shows until the signal is aborted. A service that is away for a while is waited for; any other error is
 * thrown.
 */
export async function watch<Answer>(
  terminal: Terminal,
  watched: Watched<Answer>,
  signal: AbortSignal,
  everyMs: number = POLL_EVERY_MS,
): Promise<void> {
  const view = watchView(terminal, watched);
  while (!signal.aborted) {
    try {
      view.show(await watched.look());
    } catch (error) {
      const told = asCliError(error);
      if (!(told instanceof CliError)) throw told;
      // Asked to end in the middle of a call.
      if (told.outcome === "interrupted") return;
      if (told.outcome !== "unavailable") throw told;
      view.away(told.message);
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Where what is watched is shown: in its place on a terminal, line by line elsewhere. */
export function watchView<Answer>(terminal: Terminal, watched: Watched<Answer>): View<Answer> {
  const isScreen = terminal.mode === "human" && terminal.stdout.isTTY;
  return isScreen ? screen(terminal, watched) : changes(terminal, watched);
}

function changes<Answer>(terminal: Terminal, watched: Watched<Answer>): View<Answer> {
  let last: Answer | null = null;
  let reason: string | null = null;
  const line = (text: string): void => {
    terminal.print(`${new Date().toISOString()} ${printable(text)}`);
  };
  return {
    show: (answer) => {
      const lines = watched.changes(last, answer);
      if (lines.length > 0 && terminal.mode === "json") terminal.printJson(watched.result(answer));
      else for (const text of lines) line(text);
      last = answer;
      reason = null;
    },
    away: (why) => {
      if (why !== reason && terminal.mode === "human") line(why);
      reason = why;
      // What it says when it is back is news.
      last = null;
    },
  };
}

function screen<Answer>(terminal: Terminal, watched: Watched<Answer>): View<Answer> {
  const clock = (): string => terminal.style("dim", `${new Date().toTimeString().slice(0, 8)}  Ctrl-C ends it.`);
  return {
    show: (answer) => {
      terminal.redraw(`${watched.view(printableCopy(answer), terminal)}\n${clock()}`);
    },
    away: (why) => {
      terminal.redraw(`${terminal.style("red", printable(why))}\n${clock()}`);
    },
  };
}
