// How the regions are shown: a table for a person, the lines that tell what changed between two answers, and `--watch`.
// On a terminal that draws the table again in its place; elsewhere each change is one line, so that a log or a pipe
// holds what happened and no more. As JSON, each change is the whole answer on one line.
import { setTimeout as delay } from "node:timers/promises";
import {
  duration,
  printable,
  printableCopy,
  renderTable,
  type Style,
  type Terminal,
  wrapped,
} from "@strongroom/base/terminal";
import type { RegionReport, RegionsReport } from "@strongroom/client";
import { asCliError } from "../connection.ts";
import { CliError } from "../errors.ts";

const STATE_STYLE: Readonly<Record<RegionReport["state"], Style>> = { up: "green", down: "red", unknown: "dim" };
const BREAKER_STYLE: Readonly<Record<RegionReport["breaker"]["state"], Style>> = {
  closed: "dim",
  open: "red",
  "half-open": "yellow",
};

/** The table, and what is owed below it. */
export function regionsView(answer: RegionsReport, terminal: Terminal): string {
  const lines = [policyLine(answer), ...alarmLines(answer, terminal)].map((line) => wrapped(line, terminal.width));
  return [regionTable(answer.regions, terminal), "", ...lines].join("\n");
}

/** The JSON result: of what the service says, that which the command promises. */
export function regionsResult({ minimum, regions, wrapDebt, repair }: RegionsReport): object {
  return {
    minimum,
    wrapDebt: {
      items: wrapDebt.items,
      oldestSeconds: wrapDebt.oldestSeconds,
      regions: wrapDebt.regions.map(({ region, items }) => ({ region, items })),
    },
    repair: { state: repair.state, repaired: repair.repaired, failed: repair.failed },
    regions: regions.map(({ breaker: { state, quarantined }, lastFailure, alarm, ...region }) => ({
      region: region.region,
      state: region.state,
      latencyMs: region.latencyMs,
      calls: region.calls,
      failures: region.failures,
      failuresByKind: region.failuresByKind,
      lastFailure,
      lastSuccessAt: region.lastSuccessAt,
      extraCalls: region.extraCalls,
      callsByPurpose: region.callsByPurpose,
      breaker: { state, quarantined },
      alarm: alarm === null ? null : { kind: alarm.kind },
    })),
  };
}

/** The table of regions, nearest first. */
export function regionTable(regions: readonly RegionReport[], terminal: Terminal): string {
  return renderTable(
    [
      { heading: "REGION" },
      { heading: "STATE" },
      { heading: "BREAKER" },
      { heading: "P50", align: "right" },
      { heading: "P95", align: "right" },
      { heading: "CALLS", align: "right" },
      { heading: "HEDGES", align: "right" },
      { heading: "EXTRA", align: "right" },
      { heading: "FAILURES" },
      { heading: "LAST FAILURE" },
    ],
    regions.map((one) => [
      one.region,
      terminal.style(STATE_STYLE[one.state], one.state),
      terminal.style(BREAKER_STYLE[one.breaker.state], breakerText(one)),
      milliseconds(one.latencyMs?.p50),
      milliseconds(one.latencyMs?.p95),
      number(one.calls),
      number(one.callsByPurpose["hedge"] ?? 0),
      number(one.extraCalls),
      failuresText(one),
      one.lastFailure === null ? "-" : `${one.lastFailure.kind} at ${one.lastFailure.at}`,
    ]),
    terminal.width,
  );
}

/** What changed, one line a region and one for what is owed; everything, the first time. */
export function changeLines(before: RegionsReport | null, now: RegionsReport): readonly string[] {
  const known = new Map(before?.regions.map((one) => [one.region, regionLine(one)]));
  const regions = now.regions
    .filter((one) => known.get(one.region) !== regionLine(one))
    .map(
      (one) => `${regionLine(one)}, p50 ${milliseconds(one.latencyMs?.p50)}, p95 ${milliseconds(one.latencyMs?.p95)}`,
    );
  const owed = owedText(now);
  return before !== null && owedText(before) === owed ? regions : [...regions, owed];
}

/** What counts as a change: state, breaker, failures by their kind. Calls and latencies change with every request. */
function regionLine(one: RegionReport): string {
  return `${one.region} ${one.state}, breaker ${breakerText(one)}, failures ${failuresText(one)}`;
}

function policyLine(answer: RegionsReport): string {
  const { minimum, wrapDebt, repair } = answer;
  const enough = `A write needs ${minimum} regions.`;
  if (wrapDebt.items === 0) return `${enough} No wrap is owed.`;
  const oldest = wrapDebt.oldestSeconds === null ? "" : `, the oldest for ${duration(wrapDebt.oldestSeconds)}`;
  const hint = repair.state === "off" ? " The repair is off: they stay owed." : " strongroom regions debt lists them.";
  return `${enough} ${owedText(answer)}${oldest}.${hint}`;
}

function owedText({ wrapDebt }: RegionsReport): string {
  if (wrapDebt.items === 0) return "No wrap is owed";
  return `Wraps owed: ${wrapDebt.regions.map(({ region, items }) => `${number(items)} in ${region}`).join(", ")}`;
}

function alarmLines({ regions }: RegionsReport, terminal: Terminal): readonly string[] {
  return regions.flatMap(({ region, alarm }) =>
    alarm === null
      ? []
      : [terminal.style("red", `${region} needs somebody: ${alarm.kind}. strongroom doctor says what to do.`)],
  );
}

function breakerText({ breaker }: RegionReport): string {
  return breaker.quarantined && breaker.state !== "closed" ? `${breaker.state} (lied)` : breaker.state;
}

function failuresText({ failuresByKind }: RegionReport): string {
  const kinds = Object.entries(failuresByKind).map(([kind, count]) => `${kind} ${number(count)}`);
  return kinds.length === 0 ? "-" : kinds.join(", ");
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(1)} ms`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

/** Milliseconds between two looks: as often as the service asks a region that is not known to be up. */
export const POLL_EVERY_MS = 1000;

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
  everyMs: number = POLL_EVERY_MS,
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
    terminal.print(`${new Date().toISOString()} ${printable(text)}`);
  };
  return {
    show: (answer) => {
      const lines = changeLines(last, answer);
      if (lines.length > 0 && terminal.mode === "json") terminal.printJson(regionsResult(answer));
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

function screen(terminal: Terminal): View {
  const clock = (): string => terminal.style("dim", `${new Date().toTimeString().slice(0, 8)}  Ctrl-C ends it.`);
  return {
    show: (answer) => {
      terminal.redraw(`${regionsView(printableCopy(answer), terminal)}\n${clock()}`);
    },
    away: (why) => {
      terminal.redraw(`${terminal.style("red", printable(why))}\n${clock()}`);
    },
  };
}
