// What a drill is asked to do, and what it does when it is not told otherwise.
import type { FaultName } from "./control-port.ts";

/** How a drill is run. */
export interface DrillSettings {
  /** Ways of losing a region, one after another. */
  readonly faults: readonly FaultName[];
  /** Regions to lose in turn; null for all of them. */
  readonly regions: readonly string[] | null;
  /** Regions lost together. */
  readonly lost: number;
  /** Requests per second. */
  readonly rate: number;
  /** Length of the healthy phase and of the loss, in seconds; the phase after it lasts until all is well. */
  readonly seconds: number;
  /** Makes the same choice of records, and of reads and writes, again. */
  readonly seed: number;
  /** Wraps that every acknowledged write must have; null for what the service asks for. */
  readonly minimum: number | null;
  /** Where the drill's records lie. */
  readonly collection: string;
  /** Round trips to the regions, nearest first, in milliseconds; empty for those of the loopback interface. */
  readonly roundTripsMs: readonly number[];
  /** The service's deadline for one operation, in milliseconds. */
  readonly deadlineMs: number;
}

/**
 * A short drill: what happens most often, what is noticed last, what is not an outage, and what is worst. About two
 * minutes with three regions.
 */
export const DRILL_DEFAULTS: Pick<DrillSettings, "faults" | "lost" | "rate" | "seconds" | "collection"> = {
  faults: ["refused", "black-hole", "throttle", "wrong-plaintext"],
  lost: 1,
  rate: 50,
  seconds: 3,
  collection: "strongroom-drill",
};

/** Share of the requests that write. */
export const WRITE_SHARE = 0.2;

/** Load before anything is counted, in milliseconds: connections are opened and latencies learnt. */
export const WARM_UP_MS = 1000;

/** What is promised about time, in milliseconds. */
export const PROMISED = {
  /** From a region's return until a write is wrapped there again. */
  noticedMs: 5000,
  /** From a region's return until nothing is owed. */
  debtMs: 30_000,
  /** What the service's own work and the machine may add to the deadline of an operation. */
  overDeadlineMs: 250,
  /**
   * What a request may take above the healthy p99 to count as normal again: one failed attempt and a region that is
   * farther away.
   */
  bandMs: 90,
} as const;
