/**
 * What every long step of a move takes: how fast, until when, and who is told.
 */
import { Pace } from "../verify/pace.ts";

/** Rows and records that the result of a step names; all are counted. */
export const MOST_NAMED = 1_000;

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

/** Its pace: resolves when the rows that come after so many may be begun. @throws VaultError `aborted` */
export function stepPace({ rate, signal }: StepOptions): (rows: number) => Promise<void> {
  const pace = new Pace(rate ?? null, signal);
  return async (rows) => {
    for (let row = 0; row < rows; row++) await pace.turn();
  };
}
