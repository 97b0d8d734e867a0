/**
 * Circuit breaker of one region and key. Closed: calls pass. Open: the region rests. Half-open: one call at a time goes
 * through to find out whether the region is back. Nothing here sets a timer: a rest ends when somebody asks after it.
 */

export interface BreakerRules {
  /** Strikes in a row, without a success between, that open the breaker. */
  readonly breakerStrikes: number;
  /** Rest after the first opening; it doubles with every opening that follows before the region was stable. */
  readonly breakerFirstRestMs: number;
  /** Longest rest. Together with the time to the next call it bounds how late a recovery is noticed. */
  readonly breakerLongestRestMs: number;
  /** Closed for this long, a region counts as stable and its next rest is a short one again. */
  readonly breakerStableMs: number;
  /** A probe that has not reported after this long is given up, so that a lost report cannot keep a region out. */
  readonly breakerProbeLeaseMs: number;
}

export type BreakerState = "closed" | "open" | "half-open";

/** Permission for one call, handed back with its outcome. */
export interface BreakerTicket {
  /** `last-resort`: made although the breaker rests, because no other region was left. */
  readonly kind: "ordinary" | "probe" | "last-resort";
  readonly startedAt: number;
}

export type BreakerOutcome =
  | { readonly kind: "success" }
  /**
   * `strikes` weighs the failure; `probesToClose` successes in a row are then needed before the region is trusted
   * again.
   */
  | { readonly kind: "failure"; readonly strikes: number; readonly probesToClose: number }
  /** Says nothing about the region: the caller gave up, or the message itself was refused. */
  | { readonly kind: "inconclusive" };

export class CircuitBreaker {
  readonly #rules: BreakerRules;
  readonly #random: () => number;
  #state: BreakerState = "closed";
  /** When the current state began; for half-open, when the breaker opened: probes belong to that opening. */
  #since = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #openings = 0;
  #restUntil = 0;
  #probe: BreakerTicket | null = null;
  #successesNeeded = 1;

  /** `random` gives [0, 1): it spreads the probes of many processes. */
  constructor(rules: BreakerRules, random: () => number = Math.random) {
    this.#rules = rules;
    this.#random = random;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** When the next probe may be made, in the clock's milliseconds; null while closed. */
  get restUntil(): number | null {
    return this.#state === "closed" ? null : this.#restUntil;
  }

  /** What a call would be now; takes nothing. */
  wouldAdmit(now: number): "ordinary" | "probe" | "resting" {
    if (this.#state === "closed") return "ordinary";
    if (now < this.#restUntil) return "resting";
    const lost = this.#probe !== null && now - this.#probe.startedAt >= this.#rules.breakerProbeLeaseMs;
    return this.#probe === null || lost ? "probe" : "resting";
  }

  /** Permission for a call now, or null while the region rests or is being probed by somebody else. */
  admit(now: number): BreakerTicket | null {
    const kind = this.wouldAdmit(now);
    if (kind === "resting") return null;
    const ticket: BreakerTicket = { kind, startedAt: now };
    if (kind === "probe") {
      this.#state = "half-open";
      this.#probe = ticket;
    }
    return ticket;
  }

  /** A call that is made in any case, for want of another region. */
  lastResort(now: number): BreakerTicket {
    return this.admit(now) ?? { kind: "last-resort", startedAt: now };
  }

  /** Reports what came of a call. Each ticket is reported once. */
  report(ticket: BreakerTicket, outcome: BreakerOutcome, now: number): void {
    const probed = this.#probe === ticket;
    if (probed) this.#probe = null;
    // A call begun before the present state says how things were then.
    if (ticket.startedAt < this.#since) return;
    if (outcome.kind === "success") this.#succeed(now);
    else if (outcome.kind === "failure") this.#fail(outcome, probed, now);
    else if (probed) this.#state = "open";
  }

  /** Opens at once, whatever the state: what the region answered was found out to be a lie after it was reported. */
  trip(probesToClose: number, now: number): void {
    this.#open(Math.max(probesToClose, this.#state === "closed" ? 1 : this.#successesNeeded), now);
  }

  #succeed(now: number): void {
    this.#strikes = 0;
    if (this.#state === "closed") return;
    this.#successesNeeded -= 1;
    // The region answers: what it still has to prove, it may prove at once.
    this.#restUntil = now;
    if (this.#successesNeeded > 0) return;
    this.#state = "closed";
    this.#since = now;
    this.#probe = null;
  }

  #fail(outcome: BreakerOutcome & { kind: "failure" }, probed: boolean, now: number): void {
    if (this.#state === "closed") {
      this.#strikes += outcome.strikes;
      if (this.#strikes >= this.#rules.breakerStrikes) this.#open(outcome.probesToClose, now);
    } else if (probed) {
      this.#open(Math.max(outcome.probesToClose, this.#successesNeeded), now);
    }
    // Last resorts that fail change nothing: they would only push the next probe away.
  }

  #open(probesToClose: number, now: number): void {
    const stable = this.#state === "closed" && now - this.#since >= this.#rules.breakerStableMs;
    this.#openings = stable ? 1 : this.#openings + 1;
    const doubled = this.#rules.breakerFirstRestMs * 2 ** Math.min(30, this.#openings - 1);
    const rest = Math.min(this.#rules.breakerLongestRestMs, doubled);
    this.#state = "open";
    this.#since = now;
    this.#strikes = 0;
    this.#successesNeeded = probesToClose;
    this.#probe = null;
    this.#restUntil = now + rest * (0.8 + 0.2 * this.#random());
  }
}
