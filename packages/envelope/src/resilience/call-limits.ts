/**
 * How many calls a region gets: a second, after it throttled (ThrottleBucket), and at once (CallLimit). Both are found
 * out as TCP finds its window: a little more with every success, clearly less when it was too much.
 */

export interface ThrottleRules {
  /** Calls per second that are always allowed: they are how the end of throttling is noticed. */
  readonly throttleMinRate: number;
  /** Calls per second added by one success. */
  readonly throttleGain: number;
  /** Milliseconds without a throttled answer after which the bucket no longer limits. */
  readonly throttleCalmMs: number;
  /** Throttled answers to calls started within this many milliseconds of one another count once. */
  readonly throttleWindowMs: number;
}

interface Limit {
  readonly rate: number;
  readonly tokens: number;
  readonly refilledAt: number;
  readonly throttledAt: number;
}

/**
 * Back-off of a region that throttles: a token bucket whose rate is halved by every throttled answer and raised a
 * little by every success (additive increase, multiplicative decrease), and which steps aside once the region has been
 * calm for a while. Quotas are per account and region, so one bucket serves all keys of a region.
 */
export class ThrottleBucket {
  readonly #rules: ThrottleRules;
  #limit: Limit | null = null;
  /** Calls of the current and the previous second, to know what rate was too high. */
  #second = 0;
  #calls = 0;
  #callsBefore = 0;

  constructor(rules: ThrottleRules) {
    this.#rules = rules;
  }

  /** The allowed calls per second, or null when nothing is limited. */
  rate(now: number): number | null {
    return this.#current(now)?.rate ?? null;
  }

  /** Whether a call would be admitted now; takes nothing. */
  ready(now: number): boolean {
    const limit = this.#current(now);
    return limit === null || limit.tokens >= 1;
  }

  /**
   * Notes a call that is being made, whether admitted or made for want of another region; takes a token if there is
   * one.
   */
  take(now: number): void {
    this.#count(now);
    const limit = this.#current(now);
    if (limit !== null) this.#limit = { ...limit, tokens: Math.max(0, limit.tokens - 1) };
  }

  /** A call was answered. */
  succeeded(now: number): void {
    const limit = this.#current(now);
    if (limit !== null) this.#limit = { ...limit, rate: limit.rate + this.#rules.throttleGain };
  }

  /** A call was throttled. */
  throttled(now: number): void {
    const limit = this.#current(now);
    // Many calls in flight are throttled together: that is one sign, not one per call.
    if (limit !== null && now - limit.throttledAt < this.#rules.throttleWindowMs) {
      this.#limit = { ...limit, tokens: 0 };
      return;
    }
    const tooFast = limit?.rate ?? this.#recentRate(now);
    this.#limit = {
      rate: Math.max(this.#rules.throttleMinRate, tooFast / 2),
      tokens: 0,
      refilledAt: now,
      throttledAt: now,
    };
  }

  #current(now: number): Limit | null {
    const limit = this.#limit;
    if (limit === null) return null;
    if (now - limit.throttledAt >= this.#rules.throttleCalmMs) {
      this.#limit = null;
      return null;
    }
    const earned = (Math.max(0, now - limit.refilledAt) / 1000) * limit.rate;
    // At most half a second's worth is saved up: a burst after a pause is what throttled us.
    const tokens = Math.min(Math.max(1, limit.rate / 2), limit.tokens + earned);
    this.#limit = { ...limit, tokens, refilledAt: now };
    return this.#limit;
  }

  #count(now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#callsBefore = second === this.#second + 1 ? this.#calls : 0;
      this.#calls = 0;
      this.#second = second;
    }
    this.#calls += 1;
  }

  #recentRate(now: number): number {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return Math.max(this.#calls, this.#callsBefore);
    return second === this.#second + 1 ? this.#calls : 0;
  }
}

export interface CallLimitRules {
  /** Calls at once to begin with. */
  readonly callsAtOnce: number;
  readonly callsAtOnceMin: number;
  readonly callsAtOnceMax: number;
}

/** What is left of the limit after calls went unanswered. */
const DECREASE = 0.7;

/**
 * How many calls to one region may be under way at once: a little more with every success while the limit is used up,
 * clearly less when calls go unanswered. Without it an overload feeds on itself: calls that are given up are still
 * served by the other side, so that those after them come too late as well.
 */
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
