/**
 * What people and programs see of the policy: events as it decides, on the diagnostics channel `strongroom:kms`
 * (node:diagnostics_channel); counters; the health of each region. They name regions and key ARNs; they never carry a
 * key, a context or a service's text. Without a subscriber no event is built or published.
 */
import { channel } from "node:diagnostics_channel";
import type { RegionFailureKind, RegionOperation } from "../errors.ts";
import type { BreakerState } from "../resilience/circuit-breaker.ts";

export const KMS_CHANNEL = "strongroom:kms";

/**
 * Why a region was called. `first`: it was the nearest healthy one. `failover`: the one before it failed. `hedge`: the
 * one before it kept us waiting. `wrap`: a data key's further wraps. `substitute`: a wrap in place of a preferred
 * region's. `proof`: a wrap is opened before it counts. `probe`: to find out whether a resting region is back.
 * `last-resort`: it rests, but no other region was left. `health-check`: somebody asked for a probe of all.
 */
export type CallPurpose =
  "first" | "failover" | "hedge" | "wrap" | "substitute" | "proof" | "probe" | "last-resort" | "health-check";

/** A region and key, as events, reports and errors name them. */
export interface RegionId {
  readonly region: string;
  readonly keyArn: string;
}

export type KmsEvent =
  /** A call ended. `overtaken`: another region was faster and this one was no longer waited for. */
  | (RegionId & {
      readonly kind: "call";
      readonly operation: RegionOperation;
      readonly purpose: CallPurpose;
      readonly outcome: "answered" | "overtaken" | RegionFailureKind;
      readonly elapsedMs: number;
    })
  /** A region's breaker changed its state, and the last failure before it did. */
  | (RegionId & {
      readonly kind: "breaker";
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly because: RegionFailureKind | "overtaken" | null;
    })
  /** A region throttles and is asked less from now on. */
  | (RegionId & { readonly kind: "throttle"; readonly callsPerSecond: number })
  /**
   * A region needs somebody: its key, the client's permissions, or the truth of its answers. Once until it answers well
   * again.
   */
  | (RegionId & { readonly kind: "alarm"; readonly reason: RegionFailureKind })
  /** A region kept us waiting, but the budget for extra calls was used up. */
  | (RegionId & { readonly kind: "hedge-denied"; readonly operation: RegionOperation })
  /** A write was stored with fewer wraps than wanted. */
  | {
      readonly kind: "wraps-missing";
      readonly stored: number;
      readonly target: number;
      readonly missing: readonly { readonly region: string; readonly reason: RegionFailureKind }[];
    }
  /** An operation ended. `code` is the EnvelopeError's when it failed. */
  | {
      readonly kind: "operation";
      readonly operation: "read" | "write";
      readonly code: string | null;
      readonly elapsedMs: number;
    };

const kms = channel(KMS_CHANNEL);

/** Publishes what `event` makes, if anybody listens. */
export function publish(event: () => KmsEvent): void {
  if (kms.hasSubscribers) kms.publish(event());
}

/** What the policy did so far, in numbers: how often each of its decisions was taken. */
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
  /** Reads and writes that were refused because too many were under way. */
  readonly overloaded: number;
  /** Wraps that were opened before they counted, and those of them that did not open to the data key. */
  readonly proofs: number;
  readonly proofsFailed: number;
}

export type CounterName = Exclude<keyof KeyringCounters, "hedgesLeft">;

export class Counters {
  readonly #counts: Record<CounterName, number> = {
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
    overloaded: 0,
    proofs: 0,
    proofsFailed: 0,
  };

  add(name: CounterName, howMany = 1): void {
    this.#counts[name] += howMany;
  }

  /** @param hedgesLeft what the budget has saved up, in calls */
  snapshot(hedgesLeft: number): KeyringCounters {
    return { ...this.#counts, hedgesLeft: Math.floor(hedgesLeft + 1e-9) };
  }
}

/** One region and key as the calls made to it have shown it. */
export interface RegionHealth extends RegionId {
  /** Geographic group, null when none was given. */
  readonly group: string | null;
  readonly role: "preferred" | "substitute";
  /** By the last call that says anything; `down` while the breaker is not closed; `unknown` before the first call. */
  readonly state: "up" | "down" | "unknown";
  /** Over the last 128 successful calls, null before the first. */
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
  readonly calls: number;
  /** Failures that are the region's, its key's or the client's; not those of a message. */
  readonly failures: number;
  readonly failuresByKind: Readonly<Partial<Record<RegionFailureKind, number>>>;
  readonly lastFailure: { readonly kind: RegionFailureKind; readonly at: string } | null;
  readonly lastSuccessAt: string | null;
  readonly breaker: {
    readonly state: BreakerState;
    /** Whether it rests because it answered untruly. */
    readonly quarantined: boolean;
    /** Milliseconds until it is probed, null while closed. */
    readonly restMs: number | null;
  };
  /** The rate it is limited to after throttling, null when it is not limited. */
  readonly callsPerSecond: number | null;
  /** Calls under way, calls that wait for one of them to end, and how many may be under way now. */
  readonly callsAtOnce: { readonly underWay: number; readonly waiting: number; readonly limit: number };
  /** Wraps that it made and that were opened before they counted; when the last was; and those made since. */
  readonly wraps: { readonly proven: number; readonly lastProvenAt: string | null; readonly sinceProven: number };
  /** Calls to it by their purpose. */
  readonly callsByPurpose: Readonly<Partial<Record<CallPurpose, number>>>;
  /** Calls that another region's answer made superfluous. */
  readonly overtaken: number;
  /** What needs somebody's attention, null when nothing does. */
  readonly alarm: { readonly kind: RegionFailureKind; readonly since: string } | null;
}

type Identity = Pick<RegionHealth, "region" | "keyArn" | "group" | "role">;
type Observed = Pick<RegionHealth, "latencyMs" | "breaker" | "callsPerSecond" | "callsAtOnce" | "wraps">;

/** The facts behind `RegionHealth`; what follows from them is decided in region-state.ts. */
export class HealthRecord {
  readonly #identity: Identity;
  readonly #byKind = new Map<RegionFailureKind, number>();
  readonly #byPurpose = new Map<CallPurpose, number>();
  #last: "up" | "down" | "unknown" = "unknown";
  #calls = 0;
  #failures = 0;
  #overtaken = 0;
  #lastFailure: RegionHealth["lastFailure"] = null;
  #lastSuccessAt: number | null = null;
  #alarm: RegionHealth["alarm"] = null;

  constructor({ region, keyArn, group, role }: Identity) {
    this.#identity = { region, keyArn, group, role };
  }

  called(purpose: CallPurpose): void {
    this.#calls += 1;
    this.#byPurpose.set(purpose, (this.#byPurpose.get(purpose) ?? 0) + 1);
  }

  /** An honest answer ends an alarm once the region is trusted again. */
  succeeded(breaker: BreakerState): void {
    this.#last = "up";
    this.#lastSuccessAt = Date.now();
    if (breaker === "closed") this.#alarm = null;
  }

  failed(kind: RegionFailureKind): void {
    this.#last = "down";
    this.#failures += 1;
    this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + 1);
    this.#lastFailure = { kind, at: new Date().toISOString() };
  }

  /** The breaker opened. Calls that were overtaken lead here without any of them having failed. */
  opened(because: RegionFailureKind | null): void {
    if (because !== null && this.#last !== "down") this.failed(because);
  }

  overtaken(): void {
    this.#overtaken += 1;
  }

  /** False while the same alarm has not been cleared by an honest answer. */
  isNewAlarm(kind: RegionFailureKind): boolean {
    if (this.#alarm?.kind === kind) return false;
    this.#alarm = { kind, since: new Date().toISOString() };
    return true;
  }

  get lastFailureKind(): RegionFailureKind | null {
    return this.#lastFailure?.kind ?? null;
  }

  snapshot({ latencyMs, ...observed }: Observed): RegionHealth {
    return {
      ...this.#identity,
      state: this.#last === "unknown" || observed.breaker.state === "closed" ? this.#last : "down",
      latencyMs: latencyMs === null ? null : { p50: hundredths(latencyMs.p50), p95: hundredths(latencyMs.p95) },
      calls: this.#calls,
      failures: this.#failures,
      failuresByKind: Object.fromEntries(this.#byKind),
      lastFailure: this.#lastFailure,
      lastSuccessAt: this.#lastSuccessAt === null ? null : new Date(this.#lastSuccessAt).toISOString(),
      ...observed,
      callsByPurpose: Object.fromEntries(this.#byPurpose),
      overtaken: this.#overtaken,
      alarm: this.#alarm,
    };
  }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
