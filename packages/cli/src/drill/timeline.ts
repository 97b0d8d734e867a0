// The timeline of a drill as a file: every call and every look at the debt, with the outages, for a plot or for one's
// own questions.
import type { Call } from "./calls.ts";
import type { DebtSample } from "./debt-watch.ts";
import type { DrillRun } from "./run-drill.ts";

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
