/**
 * The parallel half of a write: asks as many regions as wraps are wanted, replaces those that fail, and once the
 * minimum is met no longer waits for a region that takes far longer than it usually does.
 */
import type { SecretBytes } from "../../crypto/secret.ts";
import type { CancelTimer } from "../../resilience/time.ts";
import type { CallPurpose } from "./events.ts";
import type { Operation } from "./operation.ts";
import type { CallInProgress, RegionCaller } from "../../multi-region/region.ts";
import type { WrapPlan } from "../../multi-region/write-plan.ts";

export interface FanOutRequest {
  readonly plan: WrapPlan;
  readonly minimum: number;
  readonly target: number;
  readonly dataKey: SecretBytes;
  readonly context: Record<string, string>;
  readonly operation: Operation;
  readonly attemptTimeoutMs: number;
}

interface Pending {
  readonly call: CallInProgress<Uint8Array>;
  readonly cancelTimer: CancelTimer;
  /** `probe`: not counted on. `late`: waited for only while the minimum is not met. */
  standing: "expected" | "late" | "probe";
}

export class WrapFanOut {
  readonly result: Promise<void>;
  readonly #request: FanOutRequest;
  readonly #pending = new Map<RegionCaller, Pending>();
  #resolve: () => void = () => undefined;
  #over: "yes" | "no" = "no";

  constructor(request: FanOutRequest) {
    this.#request = request;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#ask();
  }

  /** Ends the calls that are still waited for. */
  stop(): void {
    for (const { call, cancelTimer } of this.#pending.values()) {
      cancelTimer();
      call.stop(this.#request.operation.cutShort() ?? "overtaken");
    }
    this.#finish();
  }

  /** Asks whoever should be asked now, then sees whether the write is done. */
  #ask(): void {
    const { plan, minimum, target } = this.#request;
    for (let caller; plan.wraps.size + this.#count("expected") < target && (caller = plan.nextWrap()) !== null;)
      this.#call(caller, "expected");
    if (plan.wraps.size < target) for (const caller of plan.dueProbes()) this.#call(caller, "probe");
    // Late ones may still come, but the minimum must not hang on them.
    const sure = (): number => plan.wraps.size + this.#count("expected") + this.#count("probe");
    for (let caller; sure() < minimum && (caller = plan.nextLastResort()) !== null;) this.#call(caller, "expected");
    const done =
      plan.wraps.size >= target ||
      this.#pending.size === 0 ||
      (plan.wraps.size >= minimum && this.#count("expected") === 0);
    if (done) this.#finish();
  }

  #call(caller: RegionCaller, standing: Pending["standing"]): void {
    const { plan, operation, dataKey, context, attemptTimeoutMs } = this.#request;
    plan.asked(caller);
    const purpose: CallPurpose = standing === "probe" ? "probe" : caller.role === "substitute" ? "substitute" : "wrap";
    const stragglerMs = plan.stragglerMs(caller);
    const call = caller.encrypt(dataKey, context, { purpose, timeoutMs: operation.shareMs(1, attemptTimeoutMs) });
    const pending: Pending = {
      call,
      standing,
      cancelTimer: operation.time.after(stragglerMs, () => {
        this.#late(caller);
      }),
    };
    this.#pending.set(caller, pending);
    void call.result.then((result) => {
      pending.cancelTimer();
      this.#pending.delete(caller);
      if (result.kind === "failed") plan.refused(caller, result.attempt);
      if (this.#over === "yes") return;
      if (result.kind === "done") plan.wrapped(caller, result.value);
      this.#ask();
    });
  }

  #late(caller: RegionCaller): void {
    const pending = this.#pending.get(caller);
    if (this.#over === "yes" || pending?.standing !== "expected") return;
    pending.standing = "late";
    this.#request.plan.silent(caller);
    this.#ask();
  }

  #count(standing: Pending["standing"]): number {
    let count = 0;
    for (const pending of this.#pending.values()) if (pending.standing === standing) count += 1;
    return count;
  }

  /** Probes run on: they are there to find something out. */
  #finish(): void {
    if (this.#over === "yes") return;
    this.#over = "yes";
    for (const { call, cancelTimer, standing } of this.#pending.values()) {
      cancelTimer();
      if (standing !== "probe") call.stop("overtaken");
    }
    this.#resolve();
  }
}
