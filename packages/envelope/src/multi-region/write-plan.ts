/**
 * Which regions of a write were asked, what they said, and which one is next: preferred regions in their order, then
 * substitutes of the same geographic group, one for each preferred region that is out.
 */
import type { RegionAttempt, RegionFailureKind } from "../errors.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import type { RegionCaller } from "./region.ts";
import { nextInOrder } from "../providers/aws-kms/region-order.ts";

export class WrapPlan {
  readonly attempts: RegionAttempt[] = [];
  readonly wraps: Map<RegionCaller, Uint8Array> = new Map<RegionCaller, Uint8Array>();
  readonly #callers: readonly RegionCaller[];
  readonly #asked = new Set<RegionCaller>();
  readonly #silentMs = new Map<RegionCaller, number>();
  /** Regions that are out of this write, and why. */
  readonly #out = new Map<RegionCaller, RegionFailureKind>();

  constructor(callers: readonly RegionCaller[]) {
    this.#callers = callers;
  }

  asked(caller: RegionCaller): void {
    this.#asked.add(caller);
  }

  /** It was asked for the data key, was silent for so long, and may be asked for a wrap. */
  unasked(caller: RegionCaller, silentMs: number): void {
    this.#asked.delete(caller);
    this.#silentMs.set(caller, silentMs);
  }

  /** How much longer this write waits for its wrap once it has its minimum. */
  stragglerMs(caller: RegionCaller): number {
    const { hedgeDelayMs, stragglerMs } = caller.watch;
    return Math.max(hedgeDelayMs, stragglerMs - (this.#silentMs.get(caller) ?? 0));
  }

  wrapped(caller: RegionCaller, ciphertext: Uint8Array): void {
    this.#asked.add(caller);
    this.#out.delete(caller);
    this.wraps.set(caller, ciphertext);
  }

  refused(caller: RegionCaller, attempt: RegionAttempt): void {
    this.attempts.push(attempt);
    this.#out.set(caller, attempt.reason);
  }

  /** It was not waited for any longer. It is out unless it answers after all. */
  silent(caller: RegionCaller): void {
    this.#asked.add(caller);
    this.#out.set(caller, "timeout");
  }

  /** Regions that were not asked yet. */
  left(): readonly RegionCaller[] {
    return this.#callers.filter((caller) => !this.#asked.has(caller));
  }

  /** Regions that have wrapped or still might: as many wraps as this write can come to. */
  reachable(): number {
    return this.#callers.filter((caller) => !this.#out.has(caller)).length;
  }

  /**
   * Who makes the data key next: any region, the healthy ones in their order, a substitute only when no preferred one
   * is left.
   */
  nextGenerator(): RegionCaller | null {
    const unasked = this.left();
    const preferred = unasked.filter(({ role }) => role === "preferred");
    const healthy =
      preferred.find((caller) => caller.watch.outlook() === "ordinary") ??
      preferred.find((caller) => caller.watch.isHealthy);
    return healthy ?? nextInOrder(unasked.map((caller) => ({ caller })))?.caller ?? null;
  }

  /** The next healthy region that a wrap is wanted from, null when there is none. */
  nextWrap(): RegionCaller | null {
    const healthy = this.left().filter((caller) => caller.watch.isHealthy);
    return healthy.find(({ role }) => role === "preferred") ?? healthy.find((caller) => this.#isNeeded(caller)) ?? null;
  }

  /** Preferred regions that are down and due to be tried: a wrap from them is welcome, but not waited for. */
  dueProbes(): readonly RegionCaller[] {
    return this.left().filter((caller) => caller.role === "preferred" && caller.watch.outlook() === "probe");
  }

  /** Whoever is left, healthy or not, best first: only for a write that would otherwise miss its minimum. */
  nextLastResort(): RegionCaller | null {
    const left = this.left().filter((caller) => caller.role === "preferred" || this.#isNeeded(caller));
    return nextInOrder(left.map((caller) => ({ caller })))?.caller ?? null;
  }

  inOrder(): readonly (readonly [RegionCaller, Uint8Array])[] {
    return this.#callers.flatMap((caller) => {
      const ciphertext = this.wraps.get(caller);
      return ciphertext === undefined ? [] : [[caller, ciphertext] as const];
    });
  }

  stored(): WrapReport["stored"] {
    return this.inOrder().map(([{ region, keyArn }]) => ({ region, keyArn }));
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
    return this.#missed().flatMap((caller) => {
      const { region, keyArn, group } = caller;
      const spare = replaced.get(group) ?? 0;
      replaced.set(group, spare - 1);
      return spare > 0 ? [] : [{ region, keyArn, reason: this.#out.get(caller) ?? caller.watch.standingReason }];
    });
  }

  /** Preferred regions that give no wrap in this write, by failing in it or by resting since before. */
  #missed(): readonly RegionCaller[] {
    return this.#callers.filter((caller) => {
      if (caller.role === "substitute" || this.wraps.has(caller)) return false;
      return this.#out.has(caller) || !caller.watch.isHealthy;
    });
  }

  /** Whether more preferred regions of its group are out than substitutes of the group were asked. */
  #isNeeded({ role, group }: RegionCaller): boolean {
    if (role === "preferred") return true;
    const out = this.#missed().filter((caller) => caller.group === group).length;
    const standIns = [...this.#asked].filter(
      (caller) => caller.role === "substitute" && caller.group === group && !this.#out.has(caller),
    );
    return standIns.length < out;
  }
}
