/**
 * A write: wraps a data key in several regions. It is made by the nearest healthy one, then wrapped in the others in
 * parallel (parallel-wraps.ts). Fewer than the minimum is a failure; fewer than the target is reported, never silent.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt } from "../errors.ts";
import { EnvelopeError } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import { overloadedError } from "../resilience/admission.ts";
import { staggeredRace } from "../resilience/calls.ts";
import type { Contestant } from "../resilience/calls.ts";
import { ParallelWraps } from "./parallel-wraps.ts";
import { contestant } from "./region.ts";
import type { Region } from "./region.ts";
import { WritePlan } from "./write-plan.ts";
import type { Generated, WriteRequest } from "./write-plan.ts";

export interface WriteResult {
  readonly dataKey: SecretBytes;
  /** In the order of `regions`. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly report: WrapReport;
  /** How many of the wraps are in substitutes. */
  readonly substitutions: number;
}

/**
 * @throws EnvelopeError `wraps-below-minimum`, `keyring-overloaded`, `deadline-exceeded`, `aborted`; a data key made
 *   here is then wiped.
 */
export async function writeDataKey(request: WriteRequest): Promise<WriteResult> {
  const plan = new WritePlan(request.regions);
  const { dataKey: given } = request;
  if (given !== null) {
    await wrapInParallel(request, plan, given, null);
    return resultOf(request, plan, given);
  }
  for (;;) {
    const generated = request.deadline.cutShort() === null ? await generate(request, plan) : null;
    if (generated === null) throw belowMinimum(request, plan);
    const { dataKey } = generated;
    try {
      // A key from a region that was found lying is not used, whoever else has wrapped it by now.
      if ((await wrapInParallel(request, plan, dataKey, generated)) === "made-by-a-liar") plan.withAnotherKey();
      else return resultOf(request, plan, dataKey);
    } catch (error) {
      dataKey.wipe();
      throw error;
    }
    dataKey.wipe();
  }
}

async function wrapInParallel(
  request: WriteRequest,
  plan: WritePlan,
  dataKey: SecretBytes,
  generated: Generated | null,
): Promise<"wrapped" | "made-by-a-liar"> {
  const { deadline } = request;
  if (deadline.cutShort() !== null) return "wrapped";
  return await deadline.guard(new ParallelWraps({ ...request, plan, dataKey, generated }));
}

function resultOf(request: WriteRequest, plan: WritePlan, dataKey: SecretBytes): WriteResult {
  const { deadline, minimum, target } = request;
  if (plan.wraps.size < minimum || deadline.cutShort() === "aborted") throw belowMinimum(request, plan);
  const missing = plan.missing(target);
  // What only waited for our own limits is owed by no region.
  if (missing.some(({ reason }) => reason === "busy")) throw overloadedError(NO_TURN);
  const report: WrapReport = { target, minimum, stored: plan.stored(), missing };
  return { dataKey, encryptedDataKeys: encryptedDataKeys(plan), report, substitutions: plan.substitutions() };
}

const NO_TURN = "the deadline passed before every region could be asked";

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
  const call = region.generate(request.keyLength, request, { purpose, timeoutMs, onCall: request.onCall });
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
      if (attempts.some(({ reason }) => reason === "busy")) return overloadedError(NO_TURN, attempts);
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
