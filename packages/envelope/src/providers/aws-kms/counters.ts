/** What the keyring's policy did so far, in numbers: how often each of its decisions was taken. */
import type { HedgeBudget } from "../../resilience/hedge-budget.ts";

export interface KeyringCounters {
  readonly reads: number;
  readonly writes: number;
  readonly readsFailed: number;
  readonly writesFailed: number;
  /** Calls made because the region before failed. */
  readonly failovers: number;
  /** Calls made because the region before kept us waiting, and those of them that were faster. */
  readonly hedges: number;
  readonly hedgesWon: number;
  /** Hedges that the budget did not allow. */
  readonly hedgesDenied: number;
  /** Extra calls that the budget allows now. */
  readonly hedgesLeft: number;
  /** Wraps made in place of a preferred region's. */
  readonly substitutions: number;
  /** Writes stored with fewer wraps than the target. */
  readonly writesBelowTarget: number;
}

export type Counted = Exclude<keyof KeyringCounters, "hedgesLeft">;

export class Counters {
  readonly #counts: Record<Counted, number> = {
    reads: 0,
    writes: 0,
    readsFailed: 0,
    writesFailed: 0,
    failovers: 0,
    hedges: 0,
    hedgesWon: 0,
    hedgesDenied: 0,
    substitutions: 0,
    writesBelowTarget: 0,
  };

  add(what: Counted, howMany = 1): void {
    this.#counts[what] += howMany;
  }

  snapshot(budget: HedgeBudget): KeyringCounters {
    return { ...this.#counts, hedgesLeft: Math.floor(budget.saved + 1e-9) };
  }
}
