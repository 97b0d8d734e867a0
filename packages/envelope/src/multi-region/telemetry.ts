/**
 * The record of one region and key as people and programs see it: counts, the last failure, alarms. Facts only; what
 * follows from them is decided in region-watch.ts.
 */
import type { RegionFailureKind } from "../errors.ts";
import type { BreakerState } from "../resilience/circuit-breaker.ts";
import type { CallPurpose } from "../providers/aws-kms/events.ts";

export interface RegionHealth {
  readonly region: string;
  readonly keyArn: string;
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
  /** Calls to it by their purpose. */
  readonly callsByPurpose: Readonly<Partial<Record<CallPurpose, number>>>;
  /** Calls that another region's answer made superfluous. */
  readonly overtaken: number;
  /** What needs somebody's attention, null when nothing does. */
  readonly alarm: { readonly kind: RegionFailureKind; readonly since: string } | null;
}

type Identity = Pick<RegionHealth, "region" | "keyArn" | "group" | "role">;
type Observed = Pick<RegionHealth, "latencyMs" | "breaker" | "callsPerSecond" | "callsAtOnce">;

export class RegionRecord {
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

  /** `known` while the same alarm has not been cleared by an honest answer. */
  alarm(kind: RegionFailureKind): "new" | "known" {
    if (this.#alarm?.kind === kind) return "known";
    this.#alarm = { kind, since: new Date().toISOString() };
    return "new";
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
