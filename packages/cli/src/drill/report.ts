// What a drill leaves to its reader: the tables of what was felt in each phase of each outage and what became of each
// promise; and the timeline as a file: every call and every look at the debt, with the outages, for a plot or for one's
// own questions.
import { renderTable, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { DebtSample } from "./debt.ts";
import type { Call, Latency, PhaseFigures } from "./figures.ts";
import type { OutageReport, PhaseName } from "./outage.ts";
import type { PromiseResult } from "./promises.ts";
import type { DrillReport, DrillRun } from "./run-drill.ts";

/** Both tables, and how the drill can be repeated. */
export function drillTables(report: DrillReport, terminal: Terminal): string {
  const { settings, readBack, alone, outages } = report;
  const opened = alone === null ? "" : ` and from each of ${alone.length} regions alone`;
  return [
    phaseTable(outages, terminal.width),
    "",
    wrapped(
      "Milliseconds. FAILOVER: from the loss until latency is normal again. NOTICED, PAID: from the region's return " +
        "until it is used, and until nothing is owed.",
      terminal.width,
    ),
    "",
    ...report.promises.map((result) => promiseLines(result, terminal)),
    "",
    wrapped(
      `${readBack.versions.toLocaleString("en")} acknowledged writes read back${opened}. ` +
        `${settings.rate} requests a second; --seed ${settings.seed} repeats the drill.`,
      terminal.width,
    ),
  ].join("\n");
}

function phaseTable(outages: readonly OutageReport[], width: number): string {
  return renderTable(
    [
      { heading: "FAULT" },
      { heading: "REGION" },
      { heading: "PHASE" },
      ...[
        "READS",
        "FAILED",
        "P50",
        "P99",
        "WRITES",
        "REFUSED",
        "FAILED",
        "P50",
        "P99",
        "SLOWEST",
        "FAILOVER",
        "NOTICED",
        "OWED",
        "PAID",
      ].map((heading) => ({ heading, align: "right" as const })),
    ],
    outages.flatMap((outage) => PHASES.map((phase) => row(outage, phase))),
    width,
  );
}

const PHASES: readonly PhaseName[] = ["healthy", "lost", "back"];

/** What belongs to one phase only, in the last four columns. */
const MEASURES: Readonly<Record<PhaseName, (outage: OutageReport) => readonly string[]>> = {
  healthy: () => ["", "", "", ""],
  lost: ({ failoverMs, debt }) => [whole(failoverMs), "", debt.most.toLocaleString("en"), ""],
  back: ({ noticedMs, debt }) => ["", whole(noticedMs), "", whole(debt.paidMs)],
};

function row(outage: OutageReport, phase: PhaseName): readonly string[] {
  const figures: PhaseFigures = outage.phases[phase];
  const count = (value: number): string => value.toLocaleString("en");
  return [
    phase === "healthy" ? outage.fault : "",
    phase === "healthy" ? outage.regions.join(" + ") : "",
    phase,
    count(figures.reads),
    count(figures.failedReads),
    ...quantiles(figures.readMs),
    count(figures.writes),
    count(figures.refusedWrites),
    count(figures.failedWrites),
    ...quantiles(figures.writeMs),
    whole(figures.slowestMs),
    ...MEASURES[phase](outage),
  ];
}

function quantiles(latency: Latency | null): readonly [string, string] {
  return latency === null ? ["-", "-"] : [whole(latency.p50), whole(latency.p99)];
}

/** Null: it did not happen. */
function whole(ms: number | null): string {
  return ms === null ? "never" : Math.round(ms).toLocaleString("en");
}

const MARKS: Readonly<
  Record<PromiseResult["outcome"], { readonly mark: string; readonly style: "green" | "red" | "yellow" }>
> = {
  kept: { mark: "kept", style: "green" },
  broken: { mark: "BROKEN", style: "red" },
  "not-tested": { mark: "not tested", style: "yellow" },
};

/** A promise, whether it was kept, and what broke it. */
export function promiseLines({ words, outcome, problems }: PromiseResult<string>, terminal: Terminal): string {
  const { mark, style } = MARKS[outcome];
  return [
    wrapped(`${terminal.style(style, mark.padEnd(10))}  ${words}`, terminal.width, 12),
    ...problems.map((problem) => wrapped(`            ${problem}`, terminal.width, 12)),
  ].join("\n");
}

/** The file's content. Times are milliseconds since the drill began. */
export interface Timeline {
  readonly format: 1;
  /** Each outage's fault and regions; lost from `lost` to `back`. */
  readonly outages: readonly {
    readonly fault: string;
    readonly regions: readonly string[];
    readonly began: number;
    readonly lost: number;
    readonly back: number;
    readonly ended: number;
  }[];
  readonly calls: readonly {
    readonly kind: Call["kind"];
    readonly at: number;
    readonly ms: number;
    readonly outcome: Call["outcome"];
    readonly code: string | null;
  }[];
  readonly debt: readonly DebtSample[];
}

/** The timeline of a drill. */
export function timelineOf({ report, calls, debt }: DrillRun): Timeline {
  return {
    format: 1,
    outages: report.outages.map(({ fault, regions, at }) => ({
      fault,
      regions,
      began: rounded(at.began),
      lost: rounded(at.lost),
      back: rounded(at.back),
      ended: rounded(at.ended),
    })),
    calls: calls.map(({ kind, startedAt, elapsedMs, outcome, code }) => ({
      kind,
      at: rounded(startedAt),
      ms: rounded(elapsedMs),
      outcome,
      code,
    })),
    debt: debt.map(({ at, items }) => ({ at: rounded(at), items })),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
