// How the regions are shown: a table for a person, and the lines that tell what changed between two answers.
import { duration, renderTable, type Style, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { RegionReport, RegionsReport } from "@strongroom/client";
import { watch } from "./watch.ts";

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

/** Looks and shows until the signal is aborted. */
export async function watchRegions(
  terminal: Terminal,
  look: () => Promise<RegionsReport>,
  signal: AbortSignal,
  everyMs?: number,
): Promise<void> {
  await watch(terminal, { look, result: regionsResult, view: regionsView, changes: changeLines }, signal, everyMs);
}
