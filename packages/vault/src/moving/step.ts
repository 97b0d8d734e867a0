/**
 * What every long step of a move takes: how fast, until when, and who is told.
 */
import { Pace } from "../verify/pace.ts";

/** How a step is run. */
export interface StepOptions {
  /** Rows a second, at most; left out: as fast as it goes. */
  readonly rate?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MoveStepProgress) => void;
}

/** How far a step is, in rows. */
export interface MoveStepProgress {
  readonly step: "plan" | "backfill" | "verify" | "drop" | "refill";
  readonly done: number;
}

/** Its pace. */
export function stepPace({ rate, signal }: StepOptions): Pace {
  return new Pace(rate ?? null, signal);
}
