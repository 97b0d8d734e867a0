/**
 * What is known of one region and key from the calls made to it, and whether it may be called now: breaker, throttle
 * bucket and latencies, fed with what each call came to.
 */
import type { RegionFailureKind, RegionOperation } from "../errors.ts";
import { CircuitBreaker } from "../resilience/circuit-breaker.ts";
import type { BreakerOutcome, BreakerTicket } from "../resilience/circuit-breaker.ts";
import { CallLimit } from "../resilience/call-limit.ts";
import { FAILURE_RULES } from "../resilience/failure-rules.ts";
import type { FailureRule } from "../resilience/failure-rules.ts";
import { hedgeDelayMs, LatencyWindow } from "./hedging.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import type { ThrottleBucket } from "../resilience/call-limits.ts";
import type { Time } from "../resilience/time.ts";
import { publish } from "../providers/aws-kms/events.ts";
import type { CallPurpose } from "../providers/aws-kms/events.ts";
import { RegionRecord } from "./telemetry.ts";
import type { RegionHealth } from "./telemetry.ts";

/**
 * `ordinary`: ask it. `probe`: it is down, but due to be tried. `crowded`: it is healthy, but a call would have to wait
 * for one to end. `throttled`: it asked for less. `resting`: leave it alone.
 */
export type Outlook = "ordinary" | "probe" | "crowded" | "throttled" | "resting";

/** Why a call was no longer waited for: another region was faster, the operation's time was up, the caller gave up. */
export type StopReason = "overtaken" | "deadline" | "aborted";

/** One call in progress. */
export interface CallPass {
  readonly operation: RegionOperation;
  readonly purpose: CallPurpose;
  readonly ticket: BreakerTicket;
}

export interface RegionWatchOptions {
  readonly region: string;
  readonly keyArn: string;
  readonly group: string | null;
  readonly role: RegionHealth["role"];
  readonly settings: ResilienceSettings;
  readonly time: Time;
  /** Shared by all keys of the region: quotas are per region. */
  readonly bucket: ThrottleBucket;
}

export class RegionWatch {
  readonly #options: RegionWatchOptions;
  readonly #breaker: CircuitBreaker;
  readonly #latencies = new LatencyWindow();
  readonly #record: RegionRecord;
  readonly #openedListeners = new Set<() => void>();
  readonly #limit: CallLimit;
  readonly #waiting: (() => void)[] = [];
  #lastResorts = 0;
  #quarantined: "yes" | "no" = "no";

  constructor(options: RegionWatchOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.settings);
    this.#limit = new CallLimit(options.settings);
    this.#record = new RegionRecord(options);
  }

  get #now(): number {
    return this.#options.time.now();
  }

  outlook(): Outlook {
    const now = this.#now;
    const breaker = this.#breaker.outlook(now);
    if (breaker !== "ordinary") return breaker;
    if (!this.#options.bucket.ready(now)) return "throttled";
    return this.#limit.hasRoom ? "ordinary" : "crowded";
  }

  /** Whether a write counts on it. */
  get isHealthy(): boolean {
    const outlook = this.outlook();
    return outlook === "ordinary" || outlook === "crowded";
  }

  /** How long to wait for this region before another is asked beside it. */
  get hedgeDelayMs(): number {
    return hedgeDelayMs(this.#latencies, this.#options.settings);
  }

  /** How long a write that has its minimum waits for this region. */
  get stragglerMs(): number {
    const { stragglerFactor, stragglerMinMs } = this.#options.settings;
    return Math.max(stragglerMinMs, this.hedgeDelayMs * stragglerFactor);
  }

  /**
   * Why it is not asked now, or why a call waited for nothing: what it rests for, its throttling, or no answer in time.
   */
  get standingReason(): RegionFailureKind {
    if (this.#breaker.state !== "closed") return this.#record.lastFailureKind ?? "unknown";
    return this.outlook() === "throttled" ? "throttled" : "timeout";
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

  begin(operation: RegionOperation, purpose: CallPurpose): CallPass {
    const now = this.#now;
    const before = this.#breaker.state;
    const ticket = this.#breaker.lastResort(now);
    this.#options.bucket.take(now);
    const actual = ticket.kind === "ordinary" ? purpose : ticket.kind;
    this.#limit.begin();
    if (ticket.kind === "last-resort") this.#lastResorts += 1;
    this.#record.called(actual);
    this.#announce(before, null);
    return { operation, purpose: actual, ticket };
  }

  answered(pass: CallPass): void {
    const elapsedMs = this.#elapsed(pass);
    this.#latencies.record(elapsedMs);
    this.#options.bucket.succeeded(this.#now);
    // That a key can be described does not show that a region which lied tells the truth again.
    const counts = this.#quarantined === "no" || pass.operation !== "DescribeKey";
    this.#report(pass.ticket, counts ? { kind: "success" } : { kind: "inconclusive" }, null);
    this.#record.succeeded(this.#breaker.state);
    this.#publishCall(pass, "answered", elapsedMs);
  }

  failed(pass: CallPass, reason: RegionFailureKind): void {
    const now = this.#now;
    if (reason === "throttled") {
      this.#options.bucket.throttled(now);
      publish(() => ({ kind: "throttle", ...this.#about, callsPerSecond: this.#options.bucket.rate(now) ?? 0 }));
    }
    const rule = FAILURE_RULES[reason];
    if (rule.sameRegion === "skip" && reason !== "aborted") this.#record.failed(reason);
    this.#report(pass.ticket, this.#outcome(rule), reason);
    if (rule.alarm === "yes") this.#alarm(reason);
    this.#publishCall(pass, reason, this.#elapsed(pass));
  }

  /**
   * The call was no longer waited for. It counts against the region only if the region had been silent for longer than
   * it usually is: being stopped at once is not its fault.
   */
  stopped(pass: CallPass, why: StopReason): void {
    const elapsedMs = this.#elapsed(pass);
    const silent = elapsedMs >= (why === "overtaken" ? this.hedgeDelayMs : this.stragglerMs);
    if (why === "overtaken") this.#record.overtaken();
    else if (silent) this.#record.failed("timeout");
    const because = why === "overtaken" ? why : "timeout";
    this.#report(pass.ticket, silent ? this.#outcome(FAILURE_RULES.timeout) : { kind: "inconclusive" }, because);
    this.#publishCall(pass, why === "deadline" ? "timeout" : why, elapsedMs);
  }

  /** A region gave a data key that was not the message's, and another region's key showed it. */
  accuse(): void {
    const before = this.#breaker.state;
    this.#quarantined = "yes";
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
        quarantined: this.#quarantined === "yes",
        restMs: restUntil === null ? null : Math.max(0, Math.round(restUntil - now)),
      },
      callsPerSecond: this.#options.bucket.rate(now),
      callsAtOnce: { underWay: this.#limit.underWay, waiting: this.#waiting.length, limit: this.#limit.limit },
    });
  }

  get #about(): { readonly region: string; readonly keyArn: string } {
    const { region, keyArn } = this.#options;
    return { region, keyArn };
  }

  #elapsed(pass: CallPass): number {
    return this.#now - pass.ticket.startedAt;
  }

  #outcome(rule: FailureRule): BreakerOutcome {
    if (rule.strikes === "none") return { kind: "inconclusive" };
    if (rule.quarantine === "yes") this.#quarantined = "yes";
    const { breakerStrikes, quarantineProbes } = this.#options.settings;
    return {
      kind: "failure",
      strikes: rule.strikes === "all" ? breakerStrikes : 1,
      probesToClose: rule.quarantine === "yes" ? quarantineProbes : 1,
    };
  }

  #report(ticket: BreakerTicket, outcome: BreakerOutcome, because: RegionFailureKind | "overtaken" | null): void {
    const before = this.#breaker.state;
    this.#breaker.report(ticket, outcome, this.#now);
    this.#announce(before, because);
    if (ticket.kind === "last-resort") this.#lastResorts -= 1;
    const unanswered = outcome.kind === "failure" && (because === "timeout" || because === "overtaken");
    this.#limit.end(
      ticket.startedAt,
      unanswered ? "unanswered" : outcome.kind === "success" ? "answered" : "other",
      this.#now,
    );
    this.#letGo();
  }

  #hasRoom(): boolean {
    return (
      this.#limit.hasRoom &&
      (this.outlook() !== "resting" || this.#lastResorts < this.#options.settings.lastResortCalls)
    );
  }

  /**
   * The latest first: under overload those before it have too little time left, and to serve them would make it late
   * too.
   */
  #letGo(): void {
    while (this.#hasRoom()) {
      const go = this.#waiting.pop();
      if (go === undefined) return;
      go();
    }
  }

  #announce(from: CircuitBreaker["state"], because: RegionFailureKind | "overtaken" | null): void {
    const to = this.#breaker.state;
    if (from === to) return;
    if (to === "closed") this.#quarantined = "no";
    publish(() => ({ kind: "breaker", ...this.#about, from, to, because }));
    if (to !== "open") return;
    this.#record.opened(because === "overtaken" ? "timeout" : because);
    for (const listener of [...this.#openedListeners]) listener();
  }

  #alarm(reason: RegionFailureKind): void {
    if (this.#record.alarm(reason) === "new") publish(() => ({ kind: "alarm", ...this.#about, reason }));
  }

  #publishCall(pass: CallPass, outcome: "answered" | "overtaken" | RegionFailureKind, elapsedMs: number): void {
    const { operation, purpose } = pass;
    publish(() => ({ kind: "call", ...this.#about, operation, purpose, outcome, elapsedMs }));
  }
}
