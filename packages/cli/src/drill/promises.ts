// What is promised about lost regions, as one table: each promise with its words and how what was felt is held against
// it. docs/resilience.md lists the same promises.
import type { AloneReport, OutageReport, PhaseName } from "./outage.ts";
import type { ReadBack } from "./records.ts";
import { PROMISED } from "./settings.ts";

/** What a drill saw. */
export interface Evidence {
  /** Regions that the service has. */
  readonly regions: number;
  /** Wraps that an acknowledged write must have. */
  readonly minimum: number;
  readonly deadlineMs: number;
  readonly outages: readonly OutageReport[];
  /** Fewest wraps of an acknowledged write; null where none was. */
  readonly fewestWraps: number | null;
  readonly readBack: ReadBack;
  /** Null where wraps were still owed, so that no region alone is expected to open everything. */
  readonly alone: readonly AloneReport[] | null;
}

/** A name in {@link PROMISES}. */
export type PromiseName =
  | "reads-go-on"
  | "writes-go-on"
  | "minimum-held"
  | "nothing-lost"
  | "every-region-opens"
  | "deadline-held"
  | "return-noticed"
  | "debt-paid";

interface DrillPromise {
  readonly words: string;
  readonly broken: (evidence: Evidence) => readonly string[];
}

/** Every promise: its words, and what broke it (nothing where it was kept). */
export const PROMISES: Readonly<Record<PromiseName, DrillPromise>> = {
  "reads-go-on": {
    words: "No read fails while one region with a wrap of its key answers honestly.",
    broken: ({ outages }) =>
      phases(outages).flatMap(({ where, figures }) =>
        figures.failedReads === 0
          ? []
          : [`${where}: ${figures.failedReads} of ${figures.reads} reads failed (${codesOf(figures.codes)})`],
      ),
  },
  "writes-go-on": {
    words: "No write fails, about somebody new either, while as many regions answer as a new key needs.",
    broken: ({ outages, regions, minimum }) =>
      phases(outages).flatMap(({ where, phase, lost, figures }) => {
        const expected = phase === "healthy" || regions - lost >= minimum;
        const failed = figures.failedWrites + (expected ? figures.refusedWrites : 0);
        return failed === 0
          ? []
          : [`${where}: ${failed} of ${figures.writes} writes were not acknowledged (${codesOf(figures.codes)})`];
      }),
  },
  "minimum-held": {
    words: "No write is acknowledged with fewer wraps than the minimum.",
    broken: ({ fewestWraps, minimum }) =>
      fewestWraps === null || fewestWraps >= minimum
        ? []
        : [`a write was acknowledged with ${fewestWraps} of at least ${minimum} wraps`],
  },
  "nothing-lost": {
    words: "Every acknowledged write reads back equal.",
    broken: ({ readBack }) => unreadable(readBack),
  },
  "every-region-opens": {
    words: "With nothing owed, each region alone opens every record's key.",
    broken: ({ alone }) =>
      (alone ?? []).flatMap((one) => unreadable(one).map((problem) => `${one.region} alone: ${problem}`)),
  },
  "deadline-held": {
    words: "Every call ends within the deadline.",
    broken: ({ outages, deadlineMs }) =>
      phases(outages).flatMap(({ where, figures }) =>
        figures.slowestMs <= deadlineMs + PROMISED.overDeadlineMs
          ? []
          : [`${where}: a call took ${Math.round(figures.slowestMs)} ms, the deadline is ${deadlineMs} ms`],
      ),
  },
  "return-noticed": {
    words: `A region that is back is used again within ${PROMISED.noticedMs / 1000} s.`,
    broken: ({ outages }) =>
      outages.flatMap((outage) => late(outage, outage.noticedMs, PROMISED.noticedMs, "was used again")),
  },
  "debt-paid": {
    words: `Owed wraps are made within ${PROMISED.debtMs / 1000} s after the region is back.`,
    broken: ({ outages }) =>
      outages.flatMap((outage) => late(outage, outage.debt.paidMs, PROMISED.debtMs, "had its wraps made")),
  },
};

/** One promise and whether it was kept. */
export interface PromiseResult<Name extends string = PromiseName> {
  readonly promise: Name;
  readonly words: string;
  /** `not-tested`: there was nothing to hold against it. */
  readonly outcome: "kept" | "broken" | "not-tested";
  /** What broke it. */
  readonly problems: readonly string[];
}

/** Of regions that were not tried alone. */
const UNASKED: readonly Pick<AloneReport, "wasAsked">[] = [{ wasAsked: false }];

/** Holds what was seen against every promise. */
export function judge(evidence: Evidence): readonly PromiseResult[] {
  return (Object.keys(PROMISES) as PromiseName[]).map((promise) => {
    const { words, broken } = PROMISES[promise];
    const problems = broken(evidence);
    const untested = promise === "every-region-opens" && (evidence.alone ?? UNASKED).some(({ wasAsked }) => !wasAsked);
    return { promise, words, outcome: problems.length > 0 ? "broken" : untested ? "not-tested" : "kept", problems };
  });
}

function phases(outages: readonly OutageReport[]): {
  readonly where: string;
  readonly phase: PhaseName;
  readonly lost: number;
  readonly figures: OutageReport["phases"][PhaseName];
}[] {
  return outages.flatMap((outage) =>
    (["healthy", "lost", "back"] as const).map((phase) => ({
      where: `${nameOf(outage)}, ${phase}`,
      phase,
      lost: outage.regions.length,
      figures: outage.phases[phase],
    })),
  );
}

function late(outage: OutageReport, ms: number | null, limitMs: number, what: string): string[] {
  if (ms === null) return [`${nameOf(outage)}: not seen that it ${what}`];
  return ms <= limitMs ? [] : [`${nameOf(outage)}: it ${what} after ${(ms / 1000).toFixed(1)} s`];
}

function unreadable({ versions, problems }: ReadBack): string[] {
  const bad = Object.values(problems).reduce((sum, count) => sum + count, 0);
  return bad === 0 ? [] : [`${bad} of ${versions} did not read back (${codesOf(problems)})`];
}

function nameOf({ fault, regions }: OutageReport): string {
  return `${fault} in ${regions.join(" and ")}`;
}

function codesOf(codes: Readonly<Record<string, number>>): string {
  return Object.entries(codes)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}
