/**
 * The plan of a write: which regions were asked, what they answered, and which one is next. Preferred regions in their
 * order, then substitutes of the same geographic group, one for each preferred region that is out.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { OnCall, RegionAttempt, RegionFailureKind } from "../errors.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import type { Deadline } from "../resilience/time.ts";
import type { Hedging } from "./hedging.ts";
import { mostReady } from "./region.ts";
import type { Binding, Region } from "./region.ts";
import type { Counters } from "./telemetry.ts";
import type { GeneratedKey } from "./wrapping-key.ts";

/** What a write is asked for, and what it works with. */
export interface WriteRequest extends Binding {
  /** In the order of preference. */
  readonly regions: readonly Region[];
  readonly minimum: number;
  readonly target: number;
  readonly keyLength: number;
  /** null to have a region generate it. */
  readonly dataKey: SecretBytes | null;
  readonly deadline: Deadline;
  readonly hedging: Hedging;
  readonly counters: Counters;
  readonly attemptTimeoutMs: number;
  readonly onCall: OnCall | undefined;
}

/** A data key, and the region that made it. */
export type Generated = GeneratedKey & { readonly region: Region };

export class WritePlan {
  readonly attempts: RegionAttempt[] = [];
  readonly wraps: Map<Region, Uint8Array> = new Map<Region, Uint8Array>();
  readonly #regions: readonly Region[];
  readonly #asked = new Set<Region>();
  readonly #silentMs = new Map<Region, number>();
  /** Regions that are out of this write, and why. */
  readonly #out = new Map<Region, RegionFailureKind>();

  constructor(regions: readonly Region[]) {
    this.#regions = regions;
  }

  asked(region: Region): void {
    this.#asked.add(region);
  }

  /** It was asked for the data key, was silent for so long, and may be asked for a wrap. */
  unasked(region: Region, silentMs: number): void {
    this.#asked.delete(region);
    this.#silentMs.set(region, silentMs);
  }

  /** How much longer this write waits for its wrap once it has its minimum. */
  stragglerMs(region: Region): number {
    const { hedgeDelayMs, stragglerMs } = region.state;
    return Math.max(hedgeDelayMs, stragglerMs - (this.#silentMs.get(region) ?? 0));
  }

  wrapped(region: Region, ciphertext: Uint8Array): void {
    this.#asked.add(region);
    this.#out.delete(region);
    this.wraps.set(region, ciphertext);
  }

  refused(region: Region, attempt: RegionAttempt): void {
    this.attempts.push(attempt);
    this.#out.set(region, attempt.reason);
  }

  /** It was not waited for any longer. It is out unless it answers after all. */
  silent(region: Region): void {
    this.#asked.add(region);
    this.#out.set(region, "timeout");
  }

  /** All begins anew with another data key, but for the regions that are out. */
  withAnotherKey(): void {
    this.wraps.clear();
    this.#asked.clear();
    for (const region of this.#out.keys()) this.#asked.add(region);
  }

  /** Regions that were not asked yet. */
  left(): readonly Region[] {
    return this.#regions.filter((region) => !this.#asked.has(region));
  }

  /** Regions that have wrapped or still might: as many wraps as this write can come to. */
  reachable(): number {
    return this.#regions.filter((region) => !this.#out.has(region)).length;
  }

  /**
   * Who makes the data key next: any region, the healthy ones in their order, a substitute only when no preferred one
   * is left.
   */
  nextGenerator(): Region | null {
    const unasked = this.left();
    const preferred = unasked.filter(({ role }) => role === "preferred");
    const healthy =
      preferred.find((region) => region.state.isReady) ?? preferred.find((region) => region.state.isHealthy);
    return healthy ?? mostReady(unasked.map((region) => ({ region })))?.region ?? null;
  }

  /** The next healthy region that a wrap is wanted from, null when there is none. */
  nextWrap(): Region | null {
    const healthy = this.left().filter((region) => region.state.isHealthy);
    return healthy.find(({ role }) => role === "preferred") ?? healthy.find((region) => this.#isNeeded(region)) ?? null;
  }

  /** Preferred regions that are down and due to be tried: a wrap from them is welcome, but not waited for. */
  dueProbes(): readonly Region[] {
    return this.left().filter((region) => region.role === "preferred" && region.state.readiness() === "probe-due");
  }

  /** Whoever is left, healthy or not, best first: only for a write that would otherwise miss its minimum. */
  nextLastResort(): Region | null {
    const left = this.left().filter((region) => region.role === "preferred" || this.#isNeeded(region));
    return mostReady(left.map((region) => ({ region })))?.region ?? null;
  }

  inOrder(): readonly (readonly [Region, Uint8Array])[] {
    return this.#regions.flatMap((region) => {
      const ciphertext = this.wraps.get(region);
      return ciphertext === undefined ? [] : [[region, ciphertext] as const];
    });
  }

  stored(): WrapReport["stored"] {
    return this.inOrder().map(([{ id }]) => ({ ...id }));
  }

  substitutions(): number {
    return this.inOrder().filter(([{ role }]) => role === "substitute").length;
  }

  /** The preferred regions that have no wrap and nobody in their place; none when the target is met. */
  missing(target: number): WrapReport["missing"] {
    if (this.wraps.size >= target) return [];
    const replaced = new Map<string | null, number>();
    for (const [{ role, group }] of this.inOrder())
      if (role === "substitute") replaced.set(group, (replaced.get(group) ?? 0) + 1);
    // Those that gave none, whatever they are by now: one may have come back since it was passed over.
    return this.#preferredWithout().flatMap((region) => {
      const { id, group } = region;
      const spare = replaced.get(group) ?? 0;
      replaced.set(group, spare - 1);
      return spare > 0 ? [] : [{ ...id, reason: this.#out.get(region) ?? region.state.restingReason }];
    });
  }

  /** Preferred regions that give no wrap in this write, by failing in it or by resting since before. */
  #missed(): readonly Region[] {
    return this.#preferredWithout().filter((region) => this.#out.has(region) || !region.state.isHealthy);
  }

  #preferredWithout(): readonly Region[] {
    return this.#regions.filter((region) => region.role === "preferred" && !this.wraps.has(region));
  }

  /** Whether more preferred regions of its group are out than substitutes of the group were asked. */
  #isNeeded({ role, group }: Region): boolean {
    if (role === "preferred") return true;
    const out = this.#missed().filter((region) => region.group === group).length;
    const standIns = [...this.#asked].filter(
      (region) => region.role === "substitute" && region.group === group && !this.#out.has(region),
    );
    return standIns.length < out;
  }
}
