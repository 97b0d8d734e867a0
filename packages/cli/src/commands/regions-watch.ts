// `strongroom regions --watch`: on a terminal the table is drawn again in its place; elsewhere each change is one line,
// so that a log or a pipe holds what happened and no more. As JSON, each change is the whole answer on one line.
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "@strongroom/base/terminal";
import type { RegionsReport } from "@strongroom/client";
import { CliError } from "../errors.ts";
import { asCliError } from "../service.ts";
import { changeLines, regionsResult, regionsView } from "./regions-view.ts";

/** Milliseconds between two looks: as often as the service asks a region that is not known to be up. */
export const LOOK_EVERY_MS = 1000;

/** Where the view goes: one answer, or that there was none this time. */
interface View {
  show(answer: RegionsReport): void;
  away(reason: string): void;
}

/**
 * Looks and shows until the signal is aborted. A service that is away for a while is waited for; any other error is
 * thrown.
 */
export async function watchRegions(
  terminal: Terminal,
  look: () => Promise<RegionsReport>,
  signal: AbortSignal,
  everyMs: number = LOOK_EVERY_MS,
): Promise<void> {
  const view = terminal.mode === "json" || !terminal.stdout.isTTY ? changes(terminal) : screen(terminal);
  while (!signal.aborted) {
    try {
      view.show(await look());
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

function changes(terminal: Terminal): View {
  let last: RegionsReport | null = null;
  let reason: string | null = null;
  const line = (text: string): void => {
    terminal.stdout.write(`${new Date().toISOString()} ${text}\n`);
  };
  return {
    show: (answer) => {
      const lines = changeLines(last, answer);
      if (lines.length > 0 && terminal.mode === "json")
        terminal.stdout.write(`${JSON.stringify(regionsResult(answer))}\n`);
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

const CLEAR_BELOW = "\u001b[J";

function screen(terminal: Terminal): View {
  let drawn = 0;
  const draw = (text: string): void => {
    const up = drawn === 0 ? "" : `\u001b[${drawn}A\r`;
    terminal.stdout.write(`${up}${CLEAR_BELOW}${text}\n`);
    drawn = text.split("\n").reduce((rows, line) => rows + rowsOf(line, terminal.stdout.columns), 0);
  };
  const clock = (): string => terminal.style("dim", `${new Date().toTimeString().slice(0, 8)}  Ctrl-C ends it.`);
  return {
    show: (answer) => {
      draw(`${regionsView(answer, terminal)}\n${clock()}`);
    },
    away: (why) => {
      draw(`${terminal.style("red", why)}\n${clock()}`);
    },
  };
}

/**
 * Rows that a line takes on the screen: a narrow terminal breaks it. A terminal that does not know its width says 0.
 */
function rowsOf(line: string, columns: number): number {
  const length = stripVTControlCharacters(line).length;
  return columns > 0 && length > 0 ? Math.ceil(length / columns) : 1;
}
