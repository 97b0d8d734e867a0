/**
 * Decides when and whether a second region is asked beside one that keeps us waiting, and counts what was decided.
 */
import type { RegionAttempt, RegionOperation } from "../../errors.ts";
import type { HedgeBudget } from "../../resilience/hedge-budget.ts";
import type { ResilienceSettings } from "../../resilience/settings.ts";
import type { StartReason } from "../../resilience/calls.ts";
import type { Counters } from "./counters.ts";
import { publish } from "./events.ts";
import type { RegionCaller } from "../../multi-region/region.ts";
import type { Outlook } from "../../multi-region/region-state.ts";

const OVERLOADED: ReadonlySet<Outlook> = new Set<Outlook>(["throttled", "crowded"]);

export class HedgeDesk {
  readonly #budget: HedgeBudget;
  readonly #counters: Counters;

  readonly #longestMs: number;

  constructor(budget: HedgeBudget, counters: Counters, { hedgeMaxMs }: Pick<ResilienceSettings, "hedgeMaxMs">) {
    this.#budget = budget;
    this.#counters = counters;
    this.#longestMs = hedgeMaxMs;
  }

  /**
   * How long to wait for `caller` before one of `others` is asked beside it: its p95 where one of them is healthy.
   * Where all of them rest, the longest wait: one call in twenty is slower than p95, and lost regions are not to be
   * flooded with those.
   */
  patienceMs(caller: RegionCaller, others: readonly RegionCaller[]): number {
    return others.some(({ watch }) => watch.outlook() === "ordinary") ? caller.watch.hedgeDelayMs : this.#longestMs;
  }

  /**
   * Takes an extra call from the budget. Never for a region that throttles or is crowded, nor after one throttled in
   * this operation: calls added to an overload make it worse.
   */
  mayHedge(next: RegionCaller, operation: RegionOperation, attempts: readonly RegionAttempt[]): boolean {
    if (OVERLOADED.has(next.watch.outlook()) || attempts.some(({ reason }) => reason === "throttled")) return false;
    if (this.#budget.spend() === "granted") return true;
    this.#counters.add("hedgesDenied");
    const { region, keyArn } = next;
    publish(() => ({ kind: "hedge-denied", region, keyArn, operation }));
    return false;
  }

  /** A call of a race was started. Calls that would have been made anyway earn extra ones. */
  started(reason: StartReason): void {
    if (reason === "hedge") this.#counters.add("hedges");
    else this.#budget.earn();
    if (reason === "failover") this.#counters.add("failovers");
  }

  /** A hedged call was the first to answer. */
  won(): void {
    this.#counters.add("hedgesWon");
  }
}
