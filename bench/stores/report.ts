// What a run of the stores found: medians of the rounds, and whether what is asked of the vault is met.

import { loadOf, thisMachine, type Load, type Machine } from "../harness/machine.ts";
import { median } from "../harness/report.ts";
import type { Pace } from "../harness/row.ts";

import type { Size } from "./growth.ts";
import type { ContenderId, Effort, StoreKind, StoreRow, StoreTarget } from "./rows.ts";
import type { StoreFailure, StoreTurn } from "./turns.ts";

/** One contender in one row, over all rounds. */
export interface StoreResult {
  readonly contender: ContenderId;
  readonly rounds: number;
  /** Records per second of all processes together: the median of the rounds, with the slowest and the fastest. */
  readonly rate: { readonly median: number; readonly lowest: number; readonly highest: number };
  /** Of an operation: the medians of the rounds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** Processor time of the vault's processes for a record, in microseconds: not that of a database server. */
  readonly cpuMicros: number;
  readonly peakRssMiB: number;
  readonly verified: number;
}

export interface StoreVerdict {
  readonly target: StoreTarget;
  /** The ratio, or milliseconds; null when it was not measured. */
  readonly measured: number | null;
  /** The same ratio by processor time; null where it says nothing. */
  readonly byCpu: number | null;
  readonly outcome: "met" | "missed" | "not-measured";
}

export interface StoreRowReport extends Omit<StoreRow, "targets"> {
  readonly results: readonly StoreResult[];
  readonly verdicts: readonly StoreVerdict[];
}

/** A kind of store that could not be made on this machine, with the reason. */
export interface AbsentStore {
  readonly store: StoreKind;
  readonly reason: string;
}

export interface StoresReport {
  readonly measuredAt: string;
  readonly pace: Pace;
  readonly effort: Effort;
  readonly machine: Machine;
  readonly load: Load;
  /** Of the databases. */
  readonly versions: Readonly<Partial<Record<StoreKind, string>>>;
  readonly absent: readonly AbsentStore[];
  readonly rows: readonly StoreRowReport[];
  readonly sizes: readonly Size[];
  readonly failures: readonly StoreFailure[];
}

export interface StoresFacts {
  readonly pace: Pace;
  readonly effort: Effort;
  readonly loadBefore: number;
  readonly versions: StoresReport["versions"];
  readonly absent: readonly AbsentStore[];
  readonly rows: readonly StoreRow[];
  readonly turns: readonly StoreTurn[];
  readonly sizes: readonly Size[];
  readonly failures: readonly StoreFailure[];
}

export function storesReportOf({ rows, turns, loadBefore, ...facts }: StoresFacts): StoresReport {
  const results = new Map(rows.map(({ id }) => [id, resultsOf(turns.filter(({ row }) => row === id))]));
  return {
    measuredAt: new Date().toISOString(),
    machine: thisMachine(),
    load: loadOf(loadBefore),
    ...facts,
    rows: rows.map(({ targets, ...row }) => ({
      ...row,
      results: results.get(row.id) ?? [],
      verdicts: targets.map((target) => storeVerdictOf(target, row.id, results)),
    })),
  };
}

/** A contender's result in a row; undefined when it was not measured. */
export function resultIn(results: readonly StoreResult[] | undefined, contender: ContenderId): StoreResult | undefined {
  return results?.find((result) => result.contender === contender);
}

function resultsOf(turns: readonly StoreTurn[]): readonly StoreResult[] {
  return [...Map.groupBy(turns, ({ contender }) => contender)].map(([contender, own]) => {
    const rates = own.map(({ together }) => together.rate);
    return {
      contender,
      rounds: own.length,
      rate: { median: median(rates), lowest: Math.min(...rates), highest: Math.max(...rates) },
      latencyMs: {
        p50: median(own.map(({ together }) => together.latencyMs.p50)),
        p99: median(own.map(({ together }) => together.latencyMs.p99)),
      },
      cpuMicros: median(own.map(({ together }) => together.cpuMicros)),
      peakRssMiB: median(own.map(({ peakRssMiB }) => peakRssMiB)),
      verified: own.reduce((sum, { verified }) => sum + verified, 0),
    };
  });
}

/** Judges one target by medians. What was not measured never meets one. */
export function storeVerdictOf(
  target: StoreTarget,
  row: string,
  results: ReadonlyMap<string, readonly StoreResult[]>,
): StoreVerdict {
  const own = resultIn(results.get(row), (target.kind === "latency" ? undefined : target.of) ?? "vault");
  if (target.kind === "latency") {
    const measured = own?.latencyMs.p99 ?? null;
    return { target, measured, byCpu: null, outcome: outcomeOf(measured, (ms) => ms < target.below) };
  }
  if (target.kind === "added") {
    const beside = resultIn(results.get(row), target.beside);
    const commit = resultIn(results.get(row), target.commit);
    const measured =
      own === undefined || beside === undefined || commit === undefined
        ? null
        : own.latencyMs.p50 - beside.latencyMs.p50 - commit.latencyMs.p50;
    return { target, measured, byCpu: null, outcome: outcomeOf(measured, (ms) => ms <= target.moreMs) };
  }
  const other = resultIn(results.get(target.row), target.contender);
  const isMeasured = own !== undefined && other !== undefined;
  const measured = isMeasured ? own.rate.median / other.rate.median : null;
  return {
    target,
    measured,
    byCpu: isMeasured && target.row === row ? other.cpuMicros / own.cpuMicros : null,
    outcome: outcomeOf(measured, (ratio) => ratio >= target.atLeast),
  };
}

function outcomeOf(measured: number | null, isMet: (measured: number) => boolean): StoreVerdict["outcome"] {
  if (measured === null) return "not-measured";
  return isMet(measured) ? "met" : "missed";
}
