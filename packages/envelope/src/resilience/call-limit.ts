/**
 * How many calls to one region may be under way at once, found out as TCP finds its window: a little more with every
 * success while the limit is used up, clearly less when calls go unanswered. Without it an overload feeds on itself:
 * calls that are given up are still served by the other side, so that those after them come too late as well.
 */

export interface CallLimitRules {
  /** Calls at once to begin with. */
  readonly callsAtOnce: number;
  readonly callsAtOnceMin: number;
  readonly callsAtOnceMax: number;
}

/** What is left of the limit after calls went unanswered. */
const DECREASE = 0.7;

export class CallLimit {
  readonly #rules: CallLimitRules;
  #limit: number;
  #underWay = 0;
  #loweredAt = Number.NEGATIVE_INFINITY;

  constructor(rules: CallLimitRules) {
    this.#rules = rules;
    this.#limit = rules.callsAtOnce;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get underWay(): number {
    return this.#underWay;
  }

  get hasRoom(): boolean {
    return this.#underWay < this.limit;
  }

  begin(): void {
    this.#underWay += 1;
  }

  /** @param outcome `unanswered`: it was given up after the region had been silent for longer than it usually is. */
  end(startedAt: number, outcome: "answered" | "unanswered" | "other", now: number): void {
    const wasFull = !this.hasRoom;
    this.#underWay -= 1;
    if (outcome === "answered" && wasFull) {
      this.#limit = Math.min(this.#rules.callsAtOnceMax, this.#limit + 1 / this.#limit);
    }
    // Calls that were under way together go unanswered together: that is one sign, not one per call.
    if (outcome === "unanswered" && startedAt >= this.#loweredAt) {
      this.#limit = Math.max(this.#rules.callsAtOnceMin, this.#limit * DECREASE);
      this.#loweredAt = now;
    }
  }
}
