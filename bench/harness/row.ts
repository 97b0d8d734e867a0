// A row of the table: one kind of work, the contender it is about, and what that contender is held to against the
// others.

import type { Task } from "./contender.ts";
import type { Effort } from "./measure.ts";

/** What is demanded of a row's subject. */
export type Target =
  /** Its rate over another contender's rate. */
  | { readonly kind: "ratio"; readonly against: string; readonly atLeast: number }
  /** Its peak resident memory, in MiB. */
  | { readonly kind: "memory"; readonly atMostMiB: number };

export interface Row {
  readonly id: string;
  readonly title: string;
  /** What exactly is timed, for the reader of the page. */
  readonly description: string;
  /** The id of the contender whose targets these are. */
  readonly subject: string;
  readonly unit: "messages" | "records" | "bytes" | "calls";
  readonly payloadBytes: number;
  readonly frameLength?: number;
  readonly chunkBytes?: number;
  readonly distinctMessages?: number;
  /** Runs between two verifications: fewer for large results. */
  readonly batch: number;
  readonly concurrency?: number;
  /**
   * One run takes so long that it needs no warm-up and is done once a round. With `--quick` its payload shrinks to a
   * sixteenth.
   */
  readonly length: "short" | "long";
  readonly targets: readonly Target[];
}

/** How much time a run spends: `full` for figures to be written down, `quick` to see that everything works. */
export type Pace = "full" | "quick";

const TIMES: Readonly<
  Record<
    Pace,
    {
      readonly warmupMs: number;
      readonly measureMs: number;
      readonly longPayloadDivisor: number;
      readonly rounds: number;
    }
  >
> = {
  full: { warmupMs: 700, measureMs: 1_200, longPayloadDivisor: 1, rounds: 5 },
  quick: { warmupMs: 150, measureMs: 150, longPayloadDivisor: 16, rounds: 1 },
};

/** Rounds of a run when `--rounds` does not say. */
export function defaultRounds(pace: Pace): number {
  return TIMES[pace].rounds;
}

/** The contexts of real messages are small: whose record this is. */
const ENCRYPTION_CONTEXT = { "strongroom:collection": "customers", "strongroom:id": "4711", "strongroom:version": "3" };

export function taskOf(row: Row, pace: Pace): { readonly task: Task; readonly effort: Effort } {
  const times = TIMES[pace];
  const long = row.length === "long";
  return {
    task: {
      payloadBytes: long ? row.payloadBytes / times.longPayloadDivisor : row.payloadBytes,
      frameLength: row.frameLength ?? 4_096,
      chunkBytes: row.chunkBytes ?? 65_536,
      distinctMessages: row.distinctMessages ?? 256,
      encryptionContext: ENCRYPTION_CONTEXT,
    },
    // A long run is over after its first batch: any time on the clock is enough.
    effort: {
      warmupMs: long ? 0 : times.warmupMs,
      measureMs: long ? 1 : times.measureMs,
      batch: row.batch,
      concurrency: row.concurrency ?? 1,
    },
  };
}
