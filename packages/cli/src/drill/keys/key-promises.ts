// What is promised about a rotation and a retirement, as one table: each promise with its words and how what was felt
// is held against it.
import type { VerifyReport } from "@strongroom/vault";
import type { PhaseFigures } from "../figures.ts";
import type { PromiseResult } from "../promises.ts";
import type { ReadBack } from "../records.ts";

/** A key that the rotation has left, and what came of its retirement. */
export interface DrilledKey {
  readonly key: string;
  readonly region: string;
  /** Items that were under it still when the run had ended. */
  readonly items: number;
  /** Null: its report was signed and could be verified without the vault, and the key is disabled. */
  readonly problem: string | null;
}

/** What a drill saw. */
export interface KeyEvidence {
  /** Requests before the rotation, and while it went, without those that fell into the time without a process. */
  readonly phases: Readonly<Record<"before" | "rotation", PhaseFigures>>;
  /** Whether the process was killed while there was something to do; and how the run ended. */
  readonly wasKilled: boolean;
  readonly state: string;
  readonly failures: number;
  readonly readBack: ReadBack;
  readonly keys: readonly DrilledKey[];
  /** Null: it could not be read. */
  readonly verdict: VerifyReport["verdict"] | null;
}

/** A name in {@link KEY_PROMISES}. */
export type KeyPromiseName =
  "reads-go-on" | "writes-go-on" | "run-ends" | "nothing-lost" | "nothing-left" | "keys-retired" | "everything-opens";

interface KeyPromise {
  readonly words: string;
  readonly broken: (evidence: KeyEvidence) => readonly string[];
}

/** Every promise: its words, and what broke it (nothing where it was kept). */
export const KEY_PROMISES: Readonly<Record<KeyPromiseName, KeyPromise>> = {
  "reads-go-on": {
    words: "No read fails or is answered untruly while keys are rotated.",
    broken: ({ phases }) =>
      Object.entries(phases).flatMap(([phase, { reads, failedReads, codes }]) =>
        failedReads === 0 ? [] : [`${phase}: ${failedReads} of ${reads} reads failed (${codesOf(codes)})`],
      ),
  },
  "writes-go-on": {
    words: "No write fails meanwhile.",
    broken: ({ phases }) =>
      Object.entries(phases).flatMap(([phase, { writes, failedWrites, refusedWrites, codes }]) =>
        failedWrites + refusedWrites === 0
          ? []
          : [`${phase}: ${failedWrites + refusedWrites} of ${writes} writes were not acknowledged (${codesOf(codes)})`],
      ),
  },
  "run-ends": {
    words: "The run goes on by itself after its process was killed, and ends with nothing that failed.",
    broken: ({ state, failures }) =>
      state === "done" && failures === 0 ? [] : [`it is ${state}, and ${failures} items fail`],
  },
  "nothing-lost": {
    words: "Every acknowledged version reads back equal.",
    broken: ({ readBack: { versions, problems } }) => {
      const bad = Object.values(problems).reduce((sum, count) => sum + count, 0);
      return bad === 0 ? [] : [`${bad} of ${versions} did not read back (${codesOf(problems)})`];
    },
  },
  "nothing-left": {
    words: "When the run has ended, nothing is left under any key of before.",
    broken: ({ keys }) => keys.flatMap(({ key, items }) => (items === 0 ? [] : [`${items} items under ${key}`])),
  },
  "keys-retired": {
    words: "Every key of before is retired, with a report that is verified without the vault.",
    broken: ({ keys }) => keys.flatMap(({ key, problem }) => (problem === null ? [] : [`${key}: ${problem}`])),
  },
  "everything-opens": {
    words: "With the keys of before disabled, every version of every record and every key opens.",
    broken: ({ verdict }) =>
      verdict === "whole" ? [] : [`strongroom verify says ${verdict ?? "nothing that could be read"}`],
  },
};

/** Holds what was seen against every promise. */
export function judgeKeys(evidence: KeyEvidence): readonly PromiseResult<KeyPromiseName>[] {
  return (Object.keys(KEY_PROMISES) as KeyPromiseName[]).map((promise) => {
    const { words, broken } = KEY_PROMISES[promise];
    const problems = broken(evidence);
    // A run that was over before it could be killed says nothing of one that is.
    const isUntested = promise === "run-ends" && !evidence.wasKilled;
    return { promise, words, outcome: problems.length > 0 ? "broken" : isUntested ? "not-tested" : "kept", problems };
  });
}

function codesOf(codes: Readonly<Record<string, number>>): string {
  return Object.entries(codes)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}
