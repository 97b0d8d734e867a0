/**
 * What hedged calls may cost: every ordinary call earns a fraction of an extra one, up to a reserve. When many regions
 * slow down at once the reserve runs dry and hedging stops, instead of doubling the load on what is already in trouble.
 */

export interface HedgeBudgetRules {
  /** Extra calls earned by one ordinary call. */
  readonly hedgeRatio: number;
  /** Most extra calls that can be saved up; the budget starts full so that the first outage is already hedged. */
  readonly hedgeReserve: number;
}

export class HedgeBudget {
  readonly #rules: HedgeBudgetRules;
  #saved: number;

  constructor(rules: HedgeBudgetRules) {
    this.#rules = rules;
    this.#saved = rules.hedgeReserve;
  }

  /** Extra calls that could be made now. */
  get saved(): number {
    return this.#saved;
  }

  /** An ordinary call was made. */
  earn(): void {
    this.#saved = Math.min(this.#rules.hedgeReserve, this.#saved + this.#rules.hedgeRatio);
  }

  /** Takes one extra call if there is one. */
  spend(): "granted" | "denied" {
    // A sum of 0.04s is 0.9999… when it should be 1.
    if (this.#saved < 1 - 1e-9) return "denied";
    this.#saved = Math.max(0, this.#saved - 1);
    return "granted";
  }
}
