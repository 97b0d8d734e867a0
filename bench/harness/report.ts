// What a run found: medians of the rounds, the ratios of a row's subject to the others, and whether its targets are
// met.

import { loadOf, thisMachine, type Load, type Machine } from "./machine.ts";
import { percentile, type Sample } from "./measure.ts";
import type { Absentee, Description, Failure, Field, Turn } from "./rounds.ts";
import type { Pace, Row, Target } from "./row.ts";

/** One contender in one row, over all rounds. */
export interface Result {
  readonly contender: string;
  readonly rounds: number;
  /** Units per second: the median of the rounds, with the slowest and fastest of them. */
  readonly rate: { readonly median: number; readonly lowest: number; readonly highest: number };
  /** Medians. */
  readonly cpuMicrosPerUnit: number;
  readonly peakRssMiB: number;
  readonly prepareMs: number;
  readonly latencyMs: Sample["latencyMs"];
  readonly metrics: Readonly<Record<string, number>>;
  /** Results that were verified, in all rounds together. */
  readonly verified: number;
}

export interface Verdict {
  readonly target: Target;
  /** The ratio, or MiB; null when one of the two was not measured. */
  readonly measured: number | null;
  /**
   * The same ratio by processor time instead of the clock: what other programs on the machine take away does not enter
   * it.
   */
  readonly byCpu: number | null;
  readonly outcome: "met" | "missed" | "not-measured";
}

export interface RowReport {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly unit: Row["unit"];
  readonly subject: string;
  readonly results: readonly Result[];
  readonly verdicts: readonly Verdict[];
}

export interface Report {
  readonly measuredAt: string;
  readonly pace: Pace;
  readonly rounds: number;
  readonly machine: Machine;
  /** The run itself is about one. */
  readonly load: Load;
  readonly contenders: readonly Omit<Description, "rows" | "module">[];
  readonly absent: readonly Absentee[];
  readonly rows: readonly RowReport[];
  readonly failures: readonly Failure[];
}

export interface RunFacts {
  readonly rows: readonly Row[];
  readonly field: Field;
  readonly rounds: number;
  readonly pace: Pace;
  readonly loadBefore: number;
  readonly turns: readonly Turn[];
  readonly failures: readonly Failure[];
}

export function reportOf(facts: RunFacts): Report {
  const rows = facts.rows.map((row) =>
    rowReport(
      row,
      facts.turns.filter((turn) => turn.row === row.id),
    ),
  );
  const measured = new Set(facts.turns.map(({ contender }) => contender));
  return {
    measuredAt: new Date().toISOString(),
    pace: facts.pace,
    rounds: facts.rounds,
    machine: thisMachine(),
    load: loadOf(facts.loadBefore),
    contenders: facts.field.contenders
      .filter(({ id }) => measured.has(id))
      .map(({ id, title, version }) => ({ id, title, version })),
    absent: facts.field.absent,
    rows,
    failures: facts.failures,
  };
}

function rowReport(row: Row, turns: readonly Turn[]): RowReport {
  const results = [...Map.groupBy(turns, ({ contender }) => contender)]
    .map(([contender, own]) => resultOf(contender, own))
    .toSorted((a, b) => b.rate.median - a.rate.median);
  const { id, title, description, unit, subject } = row;
  return {
    id,
    title,
    description,
    unit,
    subject,
    results,
    verdicts: row.targets.map((target) => verdictOf(target, subject, results)),
  };
}

function resultOf(contender: string, turns: readonly Turn[]): Result {
  const samples = turns.map(({ sample }) => sample);
  const rates = samples.map(({ rate }) => rate);
  const latencies = samples.flatMap(({ latencyMs }) => latencyMs ?? []);
  const metrics = new Set(samples.flatMap((sample) => Object.keys(sample.metrics)));
  return {
    contender,
    rounds: turns.length,
    rate: { median: median(rates), lowest: Math.min(...rates), highest: Math.max(...rates) },
    cpuMicrosPerUnit: median(samples.map(({ cpuMicrosPerUnit }) => cpuMicrosPerUnit)),
    peakRssMiB: median(samples.map(({ peakRssMiB }) => peakRssMiB)),
    prepareMs: median(turns.map(({ prepareMs }) => prepareMs)),
    latencyMs:
      latencies.length === 0
        ? null
        : { p50: median(latencies.map(({ p50 }) => p50)), p99: median(latencies.map(({ p99 }) => p99)) },
    metrics: Object.fromEntries(
      [...metrics].map((name) => [name, median(samples.flatMap((sample) => sample.metrics[name] ?? []))]),
    ),
    verified: samples.reduce((sum, { verified }) => sum + verified, 0),
  };
}

/** Judges one target by medians. A contender that is missing makes it `not-measured`, never met. */
export function verdictOf(target: Target, subject: string, results: readonly Result[]): Verdict {
  const own = results.find(({ contender }) => contender === subject);
  if (target.kind === "memory") {
    if (own === undefined) return { target, measured: null, byCpu: null, outcome: "not-measured" };
    return {
      target,
      measured: own.peakRssMiB,
      byCpu: null,
      outcome: own.peakRssMiB <= target.atMostMiB ? "met" : "missed",
    };
  }
  const other = results.find(({ contender }) => contender === target.against);
  if (own === undefined || other === undefined) return { target, measured: null, byCpu: null, outcome: "not-measured" };
  const measured = own.rate.median / other.rate.median;
  return {
    target,
    measured,
    byCpu: other.cpuMicrosPerUnit / own.cpuMicrosPerUnit,
    outcome: measured >= target.atLeast ? "met" : "missed",
  };
}

/** The middle of the list, or the mean of its two middles. */
export function median(values: readonly number[]): number {
  return (
    (percentile(values, 0.5) +
      -percentile(
        values.map((value) => -value),
        0.5,
      )) /
    2
  );
}
