/**
 * How many calls a region gets: a second, after it throttled (ThrottleBucket), and at once (CallLimit). Both are found
 * out as TCP finds its window: more with every success, less when it was too much.
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

/**
 * What a call came to, as far as the limit goes by it. `as-usual`: answered about as fast as where it is asked little.
 * `slow`: it had to wait for others, most likely for ours. `unanswered`: given up after the region had been silent for
 * longer than it usually is.
 */
export type CallOutcome = "as-usual" | "answered" | "slow" | "unanswered" | "other";

/** What is left of the limit after calls went unanswered, and after they were slow. */
const DECREASE: Readonly<Partial<Record<CallOutcome, number>>> = { unanswered: 0.7, slow: 0.7 };

/**
 * How many calls to one region may be under way at once: more while the limit is used up and the answers come as fast
 * as ever, less as soon as they have to wait for one another, clearly less when calls go unanswered. Without it an
 * overload feeds on itself: calls that are given up are still served by the other side, so that those after them come
 * too late as well, and a region that is only asked too much looks like one that is lost.
 */
export class CallLimit {
  readonly #rules: CallLimitRules;
  #limit: number;
  #underWay = 0;
  #loweredAt = Number.NEGATIVE_INFINITY;
  #strained = false;
  /** Of the calls that were under way when the limit was last used up, those that are not answered yet. */
  #usedUp = 0;

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

  /** Whether more calls would make it worse: it is full, and what there was came late or not at all. */
  get isStrained(): boolean {
    return this.#strained && !this.hasRoom;
  }

  begin(): void {
    this.#underWay += 1;
    if (!this.hasRoom) this.#usedUp = this.#underWay;
  }

  end(startedAt: number, outcome: CallOutcome, now: number): void {
    const wasFull = this.#usedUp > 0;
    if (wasFull) this.#usedUp -= 1;
    this.#underWay -= 1;
    if ((outcome === "answered" || outcome === "as-usual") && wasFull) {
      // As usual: twice as many with each round. A region that is back may be the only one that is left.
      const more = outcome === "as-usual" ? 1 : 1 / this.#limit;
      this.#limit = Math.min(this.#rules.callsAtOnceMax, this.#limit + more);
    }
    const left = DECREASE[outcome];
    if (left !== undefined) this.#strained = true;
    else if (outcome === "as-usual") this.#strained = false;
    // Calls that were under way together go unanswered together: that is one sign, not one per call.
    if (left !== undefined && startedAt >= this.#loweredAt) {
      this.#limit = Math.max(this.#rules.callsAtOnceMin, this.#limit * left);
      this.#loweredAt = now;
    }
  }
}

/** How much longer than usual an answer may take, in milliseconds, and still be as usual; and not yet slow. */
const AS_USUAL_MS = 50;
const NOT_SLOW_MS = 100;

/** What a keyring has under way in all its regions together: they may share a machine, or a line to it. */
export class SharedLoad {
  readonly #little: number;
  #underWay = 0;

  /** @param little so many calls are no load that anybody feels: the least that the regions are always asked */
  constructor(little: number) {
    this.#little = little;
  }

  /** Whether it is so little, this call included. */
  begin(): boolean {
    this.#underWay += 1;
    return this.#underWay <= this.#little;
  }

  end(): void {
    this.#underWay -= 1;
  }
}

/**
 * How fast a region answers that is asked little: what is slower than that waits for other calls. Without such a
 * measure an overload would become the usual.
 */
export class UnhurriedLatency {
  #ms: number | null = null;

  /** @param unhurried whether little was under way when the call began: then it says how far away the region is */
  record(elapsedMs: number, unhurried: boolean): void {
    if (this.#ms === null || elapsedMs < this.#ms) this.#ms = elapsedMs;
    else if (unhurried) this.#ms += (elapsedMs - this.#ms) / 8;
  }

  outcome(elapsedMs: number): CallOutcome {
    const far = 2 * (this.#ms ?? elapsedMs);
    if (elapsedMs <= far + AS_USUAL_MS) return "as-usual";
    return elapsedMs <= far + NOT_SLOW_MS ? "answered" : "slow";
  }
}
