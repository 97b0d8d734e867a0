/**
 * A write: wraps a data key in several regions. It is made by the nearest healthy one, then wrapped in the others in
 * parallel until the target is met; those that fail are replaced (write-plan.ts says by whom), and once the minimum is
 * met a region that takes far longer than it usually does is no longer waited for. Fewer than the minimum is a failure;
 * fewer than the target is reported, never silent.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt } from "../errors.ts";
import { EnvelopeError } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import { staggeredRace } from "../resilience/calls.ts";
import type { CallInProgress, Contestant } from "../resilience/calls.ts";
import type { CancelTimer, CutShort, Deadline } from "../resilience/time.ts";
import type { Hedging } from "./hedging.ts";
import { contestant } from "./region.ts";
import type { Region } from "./region.ts";
import type { CallPurpose } from "./telemetry.ts";
import { WritePlan } from "./write-plan.ts";
import type { GeneratedKey, WrapContext } from "./wrapping-key.ts";

export interface WriteRequest {
  /** In the order of preference. */
  readonly regions: readonly Region[];
  readonly minimum: number;
  readonly target: number;
  readonly context: WrapContext;
  readonly keyLength: number;
  /** null to have a region generate it. */
  readonly dataKey: SecretBytes | null;
  readonly deadline: Deadline;
  readonly hedging: Hedging;
  readonly attemptTimeoutMs: number;
}

export interface WriteResult {
  readonly dataKey: SecretBytes;
  /** In the order of `regions`. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly report: WrapReport;
  /** How many of the wraps are in substitutes. */
  readonly substitutions: number;
}

type Generated = GeneratedKey & { readonly region: Region };

/** @throws EnvelopeError `wraps-below-minimum`, `deadline-exceeded`, `aborted`; a data key made here is then wiped. */
export async function writeDataKey(request: WriteRequest): Promise<WriteResult> {
  const { deadline, minimum, target } = request;
  const plan = new WritePlan(request.regions);
  let { dataKey } = request;
  if (dataKey === null) {
    const generated = deadline.cutShort() === null ? await generate(request, plan) : null;
    if (generated === null) throw belowMinimum(request, plan);
    dataKey = generated.dataKey;
    plan.wrapped(generated.region, generated.ciphertext);
  }
  try {
    if (deadline.cutShort() === null) await deadline.guard(new ParallelWraps({ ...request, dataKey, plan }));
    if (plan.wraps.size < minimum || deadline.cutShort() === "aborted") throw belowMinimum(request, plan);
    const report: WrapReport = { target, minimum, stored: plan.stored(), missing: plan.missing(target) };
    return { dataKey, encryptedDataKeys: encryptedDataKeys(plan), report, substitutions: plan.substitutions() };
  } catch (error) {
    if (request.dataKey === null) dataKey.wipe();
    throw error;
  }
}

/**
 * The data key of the first region that makes one; null when none does, or when too few are left to reach the minimum.
 */
function generate(request: WriteRequest, plan: WritePlan): Promise<Generated | null> {
  const { deadline, hedging, minimum } = request;
  return deadline.guard(
    staggeredRace<Generated>(
      {
        start: (reason) => {
          if (plan.reachable() < minimum) return null;
          const region = plan.nextGenerator();
          if (region === null) return null;
          const { operations } = region.key;
          if (reason === "hedge" && !hedging.mayHedge(region, operations.generate, plan.attempts)) return null;
          hedging.started(reason);
          return generator(request, plan, region, reason);
        },
        discard: ({ dataKey, region }) => {
          dataKey.wipe();
          plan.unasked(region, 0);
        },
      },
      deadline.time,
    ),
  );
}

function generator(
  request: WriteRequest,
  plan: WritePlan,
  region: Region,
  purpose: "first" | "failover" | "hedge",
): Contestant<Generated> {
  const { deadline, hedging } = request;
  const timeoutMs = deadline.shareMs(plan.reachable(), request.attemptTimeoutMs);
  plan.asked(region);
  const { stragglerMs } = region.state;
  const patienceMs = hedging.patienceMs(region, plan.left());
  const call = region.generate(request.keyLength, request.context, { purpose, timeoutMs });
  return contestant(region, call, {
    deadline,
    patienceMs,
    outcome: (result) => {
      if (result.kind === "done") {
        if (purpose === "hedge") hedging.won();
        return { ...result.value, region };
      }
      if (result.kind === "failed") plan.refused(region, result.attempt);
      // A region that was silent for that long already is not waited for again in the same write.
      else if (result.elapsedMs >= stragglerMs) plan.silent(region);
      else plan.unasked(region, result.elapsedMs);
      return null;
    },
  });
}

interface ParallelWrapsRequest extends WriteRequest {
  readonly plan: WritePlan;
  readonly dataKey: SecretBytes;
}

interface Pending {
  readonly call: CallInProgress<Uint8Array>;
  readonly cancelTimer: CancelTimer;
  /** `probe`: not counted on. `late`: waited for only while the minimum is not met. */
  standing: "expected" | "late" | "probe";
}

/** The parallel half of a write: a wrap from each of as many regions as are wanted. */
class ParallelWraps {
  readonly result: Promise<void>;
  readonly #request: ParallelWrapsRequest;
  readonly #pending = new Map<Region, Pending>();
  #resolve: () => void = () => undefined;
  #over = false;

  constructor(request: ParallelWrapsRequest) {
    this.#request = request;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#ask();
  }

  /** Ends the calls that are still waited for. */
  stop(why: CutShort): void {
    for (const { call, cancelTimer } of this.#pending.values()) {
      cancelTimer();
      call.stop(why);
    }
    this.#finish();
  }

  /** Asks whoever should be asked now, then sees whether the write is done. */
  #ask(): void {
    const { plan, minimum, target } = this.#request;
    for (let region; plan.wraps.size + this.#count("expected") < target && (region = plan.nextWrap()) !== null;)
      this.#call(region, "expected");
    if (plan.wraps.size < target) for (const region of plan.dueProbes()) this.#call(region, "probe");
    // Late ones may still come, but the minimum must not hang on them.
    const sure = (): number => plan.wraps.size + this.#count("expected") + this.#count("probe");
    for (let region; sure() < minimum && (region = plan.nextLastResort()) !== null;) this.#call(region, "expected");
    const done =
      plan.wraps.size >= target ||
      this.#pending.size === 0 ||
      (plan.wraps.size >= minimum && this.#count("expected") === 0);
    if (done) this.#finish();
  }

  #call(region: Region, standing: Pending["standing"]): void {
    const { plan, deadline, dataKey, context, attemptTimeoutMs } = this.#request;
    plan.asked(region);
    const purpose: CallPurpose = standing === "probe" ? "probe" : region.role === "substitute" ? "substitute" : "wrap";
    const stragglerMs = plan.stragglerMs(region);
    const call = region.wrap(dataKey, context, { purpose, timeoutMs: deadline.shareMs(1, attemptTimeoutMs) });
    const pending: Pending = {
      call,
      standing,
      cancelTimer: deadline.time.after(stragglerMs, () => {
        this.#late(region);
      }),
    };
    this.#pending.set(region, pending);
    void call.result.then((result) => {
      pending.cancelTimer();
      this.#pending.delete(region);
      if (result.kind === "failed") plan.refused(region, result.attempt);
      if (this.#over) return;
      if (result.kind === "done") plan.wrapped(region, result.value);
      this.#ask();
    });
  }

  #late(region: Region): void {
    const pending = this.#pending.get(region);
    if (this.#over || pending?.standing !== "expected") return;
    pending.standing = "late";
    this.#request.plan.silent(region);
    this.#ask();
  }

  #count(standing: Pending["standing"]): number {
    let count = 0;
    for (const pending of this.#pending.values()) if (pending.standing === standing) count += 1;
    return count;
  }

  /** Probes run on: they are there to find something out. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    for (const { call, cancelTimer, standing } of this.#pending.values()) {
      cancelTimer();
      if (standing !== "probe") call.stop("overtaken");
    }
    this.#resolve();
  }
}

function encryptedDataKeys(plan: WritePlan): readonly EncryptedDataKey[] {
  return plan.inOrder().map(([{ key }, ciphertext]) => key.stored(ciphertext));
}

function belowMinimum({ deadline, minimum }: WriteRequest, plan: WritePlan): EnvelopeError {
  const attempts: readonly RegionAttempt[] = plan.attempts;
  const failures = attempts.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  switch (deadline.cutShort()) {
    case "aborted":
      return new EnvelopeError("aborted", "The operation was aborted", { attempts });
    case "deadline":
      return new EnvelopeError(
        "deadline-exceeded",
        `The deadline passed with ${plan.wraps.size} of at least ${minimum} wraps (${failures})`,
        { attempts },
      );
    case null:
      return new EnvelopeError(
        "wraps-below-minimum",
        `${plan.wraps.size} regions wrapped the data key, at least ${minimum} must (${failures})`,
        { attempts },
      );
  }
}
