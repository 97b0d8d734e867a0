/**
 * What is known of one region and key from the calls made to it, and whether it may be called now: breaker, throttle
 * bucket, call limit and latencies, fed with what each call came to.
 */
import { FAILURE_RULES } from "../errors.ts";
import type { FailureRule, RegionFailureKind, RegionOperation } from "../errors.ts";
import { CallLimit, UnhurriedLatency } from "../resilience/call-limits.ts";
import type { CallOutcome, SharedLoad, ThrottleBucket } from "../resilience/call-limits.ts";
import type { CallObserver, StopReason } from "../resilience/calls.ts";
import { CircuitBreaker } from "../resilience/circuit-breaker.ts";
import type { BreakerOutcome, BreakerState, BreakerTicket } from "../resilience/circuit-breaker.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import type { Time } from "../resilience/time.ts";
import { hedgeDelayMs, LatencyWindow } from "./hedging.ts";
import { OF_EITHER_KEY } from "./refused-pairs.ts";
import { HealthRecord, publish } from "./telemetry.ts";
import type { CallPurpose, RegionHealth, RegionId } from "./telemetry.ts";
import { WrapProofs } from "./wrap-proofs.ts";
import type { ProveWraps } from "./wrap-proofs.ts";
import type { WrappingKey } from "./wrapping-key.ts";

/**
 * `ready`: ask it. `probe-due`: it is down, but due to be tried. `busy`: it is healthy, but a call would have to wait
 * for one to end. `throttled`: it asked for less. `resting`: leave it alone.
 */
export type RegionReadiness = "ready" | "probe-due" | "busy" | "throttled" | "resting";

/** How a call that was given up went unanswered. */
type Silence = "too-short" | "slow" | "silent";

export interface RegionStateOptions {
  readonly id: RegionId;
  readonly group: string | null;
  readonly role: RegionHealth["role"];
  readonly operations: WrappingKey["operations"];
  readonly settings: ResilienceSettings;
  readonly proveWraps: ProveWraps;
  readonly time: Time;
  /** Shared by all keys of the region: quotas are per region. */
  readonly bucket: ThrottleBucket;
  /** Shared by all regions of the keyring. */
  readonly load: SharedLoad;
  /** The share of an attempt when an operation has all its time and every region is asked in turn. */
  readonly fullShareMs: number;
}

export class RegionState {
  readonly #options: RegionStateOptions;
  readonly #breaker: CircuitBreaker;
  readonly #latencies = new LatencyWindow();
  readonly #record: HealthRecord;
  readonly #openedListeners = new Set<() => void>();
  readonly #limit: CallLimit;
  readonly #unhurried = new UnhurriedLatency();
  readonly #waiting: (() => void)[] = [];
  readonly #proofs: WrapProofs;
  #lastResorts = 0;
  #quarantined = false;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(options: RegionStateOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.settings);
    this.#limit = new CallLimit(options.settings);
    this.#proofs = new WrapProofs({ ...options.settings, proveWraps: options.proveWraps });
    this.#record = new HealthRecord({ ...options.id, group: options.group, role: options.role });
  }

  get #now(): number {
    return this.#options.time.now();
  }

  readiness(): RegionReadiness {
    const now = this.#now;
    const admission = this.#breaker.wouldAdmit(now);
    if (admission !== "ordinary") return admission === "probe" ? "probe-due" : "resting";
    if (!this.#options.bucket.ready(now)) return "throttled";
    return this.#limit.hasRoom ? "ready" : "busy";
  }

  get isReady(): boolean {
    return this.readiness() === "ready";
  }

  /** Whether a write counts on it. */
  get isHealthy(): boolean {
    const readiness = this.readiness();
    return readiness === "ready" || readiness === "busy";
  }

  /** Whether more calls would make it worse. */
  get isOverloaded(): boolean {
    return this.readiness() === "throttled" || this.#limit.isStrained;
  }

  /** How many calls to it may be under way at once. */
  get callsAtOnce(): number {
    return this.#limit.limit;
  }

  /** How long to wait for this region before another is asked beside it. */
  get hedgeDelayMs(): number {
    return hedgeDelayMs(this.#latencies, this.#options.settings);
  }

  /** Whether a wrap that it has just made has to be proven; one that is not is counted. */
  wantsProof(): boolean {
    const due = (this.#quarantined && !this.#proofs.takesItsWord) || this.#proofs.isDue(this.#now);
    if (!due) this.#proofs.unproven();
    return due;
  }

  /** Whether it has answered untruly, and has not yet shown itself true again. */
  get isQuarantined(): boolean {
    return this.#quarantined;
  }

  /** A wrap that it made opened to the data key. While it rests that may be one of before. */
  proven(): void {
    this.#proofs.proven(this.#breaker.state === "closed" ? this.#now : null);
  }

  /** How long a write that has its minimum waits for this region. */
  get stragglerMs(): number {
    const { stragglerFactor, stragglerMinMs } = this.#options.settings;
    const usualMs = Math.max(this.hedgeDelayMs, this.#latencies.quantiles()?.p95 ?? 0);
    return Math.max(stragglerMinMs, usualMs * stragglerFactor);
  }

  /** Whether it has answered anything since then: a region that answers others is slow, not lost. */
  hasAnsweredSince(when: number): boolean {
    return this.#answeredAt > when;
  }

  /**
   * Why it is not asked now, or why a call waited for nothing: what it rests for, its throttling, or nothing but our
   * own limits.
   */
  get standingReason(): RegionFailureKind {
    return this.isHealthy ? "busy" : this.restingReason;
  }

  /** Why it was passed over: its throttling, or what it rested for. */
  get restingReason(): RegionFailureKind {
    return this.readiness() === "throttled" ? "throttled" : (this.#record.lastFailureKind ?? "unknown");
  }

  /** Calls back when the breaker opens, so that nobody waits on for a region that is given up. */
  onOpened(callback: () => void): () => void {
    this.#openedListeners.add(callback);
    return () => this.#openedListeners.delete(callback);
  }

  /**
   * Calls `go` when there is room for a call: at once, or when one ends. A region that rests has room for a few last
   * resorts only: when everything is down those find out whether one is back, and the others wait for what they find.
   * The returned function takes a waiting call back.
   */
  whenFree(go: () => void): () => void {
    if (this.#hasRoom()) {
      go();
      return () => undefined;
    }
    this.#waiting.push(go);
    return () => {
      const index = this.#waiting.lastIndexOf(go);
      if (index !== -1) this.#waiting.splice(index, 1);
    };
  }

  /** What a call reports to. */
  observe(operation: RegionOperation, purpose: CallPurpose): CallObserver {
    return new ObservedCall(this, operation, purpose);
  }

  begin(call: ObservedCall): BreakerTicket {
    const now = this.#now;
    const before = this.#breaker.state;
    const ticket = this.#breaker.lastResort(now);
    this.#options.bucket.take(now);
    if (ticket.kind !== "ordinary") call.purpose = ticket.kind;
    this.#limit.begin();
    call.unhurried = this.#options.load.begin();
    if (ticket.kind === "last-resort") this.#lastResorts += 1;
    this.#record.called(call.purpose);
    this.#announce(before, null);
    return ticket;
  }

  /** Whether a call that is not answered was out for long enough to say anything of the region. */
  hadTime(ticket: BreakerTicket): boolean {
    return this.#elapsed(ticket) >= this.#silenceMs;
  }

  answered(call: ObservedCall, ticket: BreakerTicket): void {
    const elapsedMs = this.#elapsed(ticket);
    this.#latencies.record(elapsedMs);
    this.#options.bucket.succeeded(this.#now);
    const counts = !this.#quarantined || this.#showsTruth(call.operation);
    this.#report(call, ticket, counts ? { kind: "success" } : { kind: "inconclusive" }, null);
    this.#record.succeeded(this.#breaker.state);
    this.#publishCall(call, "answered", elapsedMs);
  }

  failed(call: ObservedCall, ticket: BreakerTicket, reason: RegionFailureKind): void {
    const now = this.#now;
    if (reason === "throttled") {
      this.#options.bucket.throttled(now);
      publish(() => ({ kind: "throttle", ...this.#options.id, callsPerSecond: this.#options.bucket.rate(now) ?? 0 }));
    }
    const isOfEither = call.operation === this.#options.operations.rewrap && OF_EITHER_KEY.has(reason);
    const rule = FAILURE_RULES[isOfEither ? "invalid-ciphertext" : reason];
    const elapsedMs = this.#elapsed(ticket);
    const silence = reason === "timeout" ? this.#silence(ticket, this.#silenceMs) : null;
    if (silence !== "too-short" && !rule.mayAskAgain && reason !== "aborted") this.#record.failed(reason);
    this.#report(call, ticket, this.#outcome(rule, silence), reason, silence);
    if (rule.alarm) this.#alarm(reason);
    this.#publishCall(call, reason, elapsedMs);
  }

  /**
   * The call was no longer waited for. It counts against the region only if the region had been silent for longer than
   * it usually is: being stopped at once is not its fault.
   */
  stopped(call: ObservedCall, ticket: BreakerTicket, why: StopReason): void {
    const elapsedMs = this.#elapsed(ticket);
    const silence = this.#silence(ticket, why === "overtaken" ? this.hedgeDelayMs : this.#silenceMs);
    if (why === "overtaken") this.#record.overtaken();
    else if (silence !== "too-short") this.#record.failed("timeout");
    const because = why === "overtaken" ? why : "timeout";
    this.#report(call, ticket, this.#outcome(FAILURE_RULES.timeout, silence), because, silence);
    this.#publishCall(call, why === "deadline" ? "timeout" : why, elapsedMs);
  }

  /**
   * Whether an answer shows that a region which lied tells the truth again: what it opened was compared. That a key can
   * be described never does; a wrap does only where nobody proves wraps.
   */
  #showsTruth(operation: RegionOperation): boolean {
    const { unwrap, describe } = this.#options.operations;
    return this.#proofs.takesItsWord ? operation !== describe : operation === unwrap;
  }

  /** A region gave a data key that was not the message's, and another region's key showed it. */
  accuse(): void {
    const before = this.#breaker.state;
    this.#quarantined = true;
    this.#record.failed("wrong-data-key");
    this.#breaker.trip(this.#options.settings.quarantineProbes, this.#now);
    this.#announce(before, "wrong-data-key");
    this.#alarm("wrong-data-key");
  }

  snapshot(): RegionHealth {
    const now = this.#now;
    const { restUntil, state } = this.#breaker;
    return this.#record.snapshot({
      latencyMs: this.#latencies.quantiles(),
      breaker: {
        state,
        quarantined: this.#quarantined,
        restMs: restUntil === null ? null : Math.max(0, Math.round(restUntil - now)),
      },
      callsPerSecond: this.#options.bucket.rate(now),
      wraps: this.#proofs.snapshot(),
      callsAtOnce: { underWay: this.#limit.underWay, waiting: this.#waiting.length, limit: this.#limit.limit },
    });
  }

  /**
   * What it says of the region that a call went unanswered. `too-short`: nothing, it had no time: an operation with
   * little time left gives an attempt little. `slow`: it had, but the region answered others meanwhile.
   */
  #silence(ticket: BreakerTicket, enoughMs: number): Silence {
    if (this.#elapsed(ticket) < enoughMs) return "too-short";
    return this.hasAnsweredSince(ticket.startedAt) ? "slow" : "silent";
  }

  /** How long without an answer counts against it. */
  get #silenceMs(): number {
    return Math.min(this.stragglerMs, this.#options.fullShareMs);
  }

  #elapsed(ticket: BreakerTicket): number {
    return this.#now - ticket.startedAt;
  }

  #outcome(rule: FailureRule, silence: Silence | null): BreakerOutcome {
    if (rule.strikes === "none" || (silence !== null && silence !== "silent")) return { kind: "inconclusive" };
    if (rule.quarantine) this.#quarantined = true;
    const { breakerStrikes, quarantineProbes } = this.#options.settings;
    return {
      kind: "failure",
      strikes: rule.strikes === "all" ? breakerStrikes : 1,
      probesToClose: rule.quarantine ? quarantineProbes : 1,
    };
  }

  #report(
    call: ObservedCall,
    ticket: BreakerTicket,
    outcome: BreakerOutcome,
    because: RegionFailureKind | "overtaken" | null,
    silence: Silence | null = null,
  ): void {
    const before = this.#breaker.state;
    this.#breaker.report(ticket, outcome, this.#now);
    this.#announce(before, because);
    if (ticket.kind === "last-resort") this.#lastResorts -= 1;
    const unanswered = silence !== null && silence !== "too-short";
    const answered = outcome.kind === "success" ? this.#pace(call, ticket) : "other";
    this.#options.load.end();
    this.#limit.end(ticket.startedAt, unanswered ? "unanswered" : answered, this.#now);
    this.#letGo();
  }

  /** How fast it answered, which is noted. */
  #pace(call: ObservedCall, ticket: BreakerTicket): CallOutcome {
    const elapsedMs = this.#elapsed(ticket);
    this.#answeredAt = this.#now;
    this.#unhurried.record(elapsedMs, call.unhurried);
    return this.#unhurried.outcome(elapsedMs);
  }

  #hasRoom(): boolean {
    return (
      this.#limit.hasRoom &&
      (this.readiness() !== "resting" || this.#lastResorts < this.#options.settings.lastResortCalls)
    );
  }

  /** In their order: admission.ts keeps them so few that the last one is still in time. */
  #letGo(): void {
    while (this.#hasRoom()) {
      const go = this.#waiting.shift();
      if (go === undefined) return;
      go();
    }
  }

  #announce(from: BreakerState, because: RegionFailureKind | "overtaken" | null): void {
    const to = this.#breaker.state;
    if (from === to) return;
    if (to === "closed") this.#quarantined = false;
    publish(() => ({ kind: "breaker", ...this.#options.id, from, to, because }));
    if (to !== "open") return;
    this.#proofs.again();
    this.#record.opened(because === "overtaken" ? "timeout" : because);
    for (const listener of [...this.#openedListeners]) listener();
  }

  #alarm(reason: RegionFailureKind): void {
    if (this.#record.isNewAlarm(reason)) publish(() => ({ kind: "alarm", ...this.#options.id, reason }));
  }

  #publishCall(call: ObservedCall, outcome: "answered" | "overtaken" | RegionFailureKind, elapsedMs: number): void {
    const { operation, purpose } = call;
    publish(() => ({ kind: "call", ...this.#options.id, operation, purpose, outcome, elapsedMs }));
  }
}

/** One call, told of by whoever makes it. */
class ObservedCall implements CallObserver {
  readonly operation: RegionOperation;
  /** Why it is made; a probe or a last resort once the breaker said so. */
  purpose: CallPurpose;
  /** Whether little was under way when it began. */
  unhurried = false;
  readonly #state: RegionState;
  #ticket: BreakerTicket | null = null;

  constructor(state: RegionState, operation: RegionOperation, purpose: CallPurpose) {
    this.#state = state;
    this.operation = operation;
    this.purpose = purpose;
  }

  whenFree(go: () => void): () => void {
    return this.#state.whenFree(go);
  }

  get standingReason(): RegionFailureKind {
    return this.#state.standingReason;
  }

  hadTime(): boolean {
    return this.#ticket === null || this.#state.hadTime(this.#ticket);
  }

  began(): void {
    this.#ticket = this.#state.begin(this);
  }

  answered(): void {
    if (this.#ticket !== null) this.#state.answered(this, this.#ticket);
  }

  failed(reason: RegionFailureKind): void {
    if (this.#ticket !== null) this.#state.failed(this, this.#ticket, reason);
  }

  stopped(why: StopReason): void {
    if (this.#ticket !== null) this.#state.stopped(this, this.#ticket, why);
  }
}
