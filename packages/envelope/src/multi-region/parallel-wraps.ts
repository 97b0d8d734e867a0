/**
 * The parallel half of a write: a wrap from each of as many regions as are wanted, proven where its region is due for a
 * proof (wrap-proofs.ts). Those that fail are replaced (write-plan.ts says by whom), and once the minimum is met a
 * region that takes far longer than it usually does is no longer waited for.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import { FAILURE_RULES } from "../errors.ts";
import type { RegionAttempt } from "../errors.ts";
import type { CallInProgress, CallResult } from "../resilience/calls.ts";
import type { CancelTimer, CutShort } from "../resilience/time.ts";
import type { CallTerms, Region } from "./region.ts";
import type { CallPurpose } from "./telemetry.ts";
import type { Generated, WritePlan, WriteRequest } from "./write-plan.ts";

export interface ParallelWrapsRequest extends WriteRequest {
  readonly plan: WritePlan;
  readonly dataKey: SecretBytes;
  /** Whose wrap is there already, of a data key that was made for this write. */
  readonly generated: Generated | null;
}

/** `expected`: counted on. `late`: waited for only while the minimum is not met. `probe`: neither. */
type Standing = "expected" | "late" | "probe";

/** A region that is being asked: for a wrap, then perhaps for the proof of it. */
interface Pending {
  readonly region: Region;
  standing: Standing;
  call: Pick<CallInProgress<unknown>, "stop">;
  cancelTimer: CancelTimer;
  /** A handle of its own: what a probe made is proven also when the write is over. */
  readonly dataKey: SecretBytes;
}

export class ParallelWraps {
  readonly result: Promise<"wrapped" | "made-by-a-liar">;
  readonly #request: ParallelWrapsRequest;
  readonly #pending = new Set<Pending>();
  #resolve: (outcome: "wrapped" | "made-by-a-liar") => void = () => undefined;
  #over = false;

  constructor(request: ParallelWrapsRequest) {
    this.#request = request;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const { generated } = request;
    if (generated !== null) {
      request.plan.asked(generated.region);
      this.#made(this.#pendingOf(generated.region, "expected"), generated.ciphertext);
    }
    this.#ask();
  }

  /** Ends the calls that are still waited for. */
  stop(why: CutShort): void {
    for (const { call, cancelTimer } of this.#pending) {
      cancelTimer();
      call.stop(why);
    }
    this.#finish("wrapped");
  }

  /** Asks whoever should be asked now, then sees whether the write is done. */
  #ask(): void {
    if (this.#over) return;
    const { plan, minimum, target } = this.#request;
    for (let region; plan.wraps.size + this.#count("expected") < target && (region = plan.nextWrap()) !== null;)
      this.#wrap(region, "expected");
    if (plan.wraps.size < target) for (const region of plan.dueProbes()) this.#wrap(region, "probe");
    // Late ones may still come, but the minimum must not hang on them.
    const sure = (): number => plan.wraps.size + this.#count("expected") + this.#count("probe");
    for (let region; sure() < minimum && (region = plan.nextLastResort()) !== null;) this.#wrap(region, "expected");
    const done =
      plan.wraps.size >= target ||
      this.#pending.size === 0 ||
      (plan.wraps.size >= minimum && this.#count("expected") === 0);
    if (done) this.#finish("wrapped");
  }

  #wrap(region: Region, standing: Standing): void {
    const { plan } = this.#request;
    plan.asked(region);
    const pending = this.#pendingOf(region, standing);
    const purpose: CallPurpose = standing === "probe" ? "probe" : region.role === "substitute" ? "substitute" : "wrap";
    const call = region.wrap(pending.dataKey, this.#request, this.#terms(purpose));
    this.#follow(pending, call, plan.stragglerMs(region), (ciphertext) => {
      this.#made(pending, ciphertext);
    });
  }

  /** The region made a wrap; it counts at once, or when it is proven. */
  #made(pending: Pending, ciphertext: Uint8Array): void {
    const { plan, counters } = this.#request;
    const { region } = pending;
    if (!region.state.wantsProof()) {
      this.#end(pending);
      if (!this.#over) plan.wrapped(region, ciphertext);
      return;
    }
    counters.add("proofs");
    const call = region.prove(ciphertext, pending.dataKey, this.#request, this.#terms("proof"));
    this.#follow(pending, call, region.state.stragglerMs, () => {
      region.state.proven();
      this.#end(pending);
      if (!this.#over) plan.wrapped(region, ciphertext);
    });
  }

  /** Waits for a call, and no longer than `stragglerMs` from when it goes out once the minimum is met. */
  #follow<T>(pending: Pending, call: CallInProgress<T>, stragglerMs: number, then: (value: T) => void): void {
    const { deadline, plan } = this.#request;
    pending.call = call;
    const wait = (ms: number): void => {
      if (this.#over || pending.standing !== "expected") return;
      const { time } = deadline;
      const since = time.now();
      pending.cancelTimer = time.after(ms, () => {
        // One that answers others is there and slow, most likely with what we ask of it: it is waited for.
        if (pending.region.state.hasAnsweredSince(since)) wait(pending.region.state.stragglerMs);
        else this.#late(pending);
      });
    };
    call.onSent(() => {
      wait(stragglerMs);
    });
    void call.result.then((result: CallResult<T>) => {
      pending.cancelTimer();
      if (result.kind === "done") then(result.value);
      else this.#end(pending);
      if (result.kind === "failed") plan.refused(pending.region, result.attempt);
      if (result.kind === "failed" && this.#isLie(pending, result.attempt)) this.#finish("made-by-a-liar");
      else this.#ask();
    });
  }

  /** Counts what was found out; whether it is the maker of the data key who lied. */
  #isLie({ region }: Pending, { reason }: RegionAttempt): boolean {
    const { counters, generated } = this.#request;
    if (reason === "wrap-does-not-open") counters.add("proofsFailed");
    return FAILURE_RULES[reason].quarantine && region === generated?.region;
  }

  #late(pending: Pending): void {
    if (this.#over || pending.standing !== "expected") return;
    pending.standing = "late";
    this.#request.plan.silent(pending.region);
    this.#ask();
  }

  #terms(purpose: CallPurpose): CallTerms {
    const { deadline, attemptTimeoutMs, onCall } = this.#request;
    return { purpose, timeoutMs: deadline.shareMs(1, attemptTimeoutMs), onCall };
  }

  #pendingOf(region: Region, standing: Standing): Pending {
    const dataKey = this.#request.dataKey.share();
    const pending = { region, standing, dataKey, call: { stop: () => undefined }, cancelTimer: () => undefined };
    this.#pending.add(pending);
    return pending;
  }

  #end(pending: Pending): void {
    this.#pending.delete(pending);
    pending.dataKey.wipe();
  }

  #count(wanted: Standing): number {
    let count = 0;
    for (const { standing } of this.#pending) if (standing === wanted) count += 1;
    return count;
  }

  /** Probes run on: they are there to find something out. */
  #finish(outcome: "wrapped" | "made-by-a-liar"): void {
    if (this.#over) return;
    this.#over = true;
    for (const { call, cancelTimer, standing } of this.#pending) {
      cancelTimer();
      if (standing !== "probe") call.stop("overtaken");
    }
    this.#resolve(outcome);
  }
}
