/**
 * Wraps a data key in several regions: made by the nearest healthy one, then wrapped in the others in parallel until
 * the target is met. Fewer than the minimum is a failure; fewer than the target is reported, never silent.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt } from "../errors.ts";
import { EnvelopeError } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { WrapReport } from "../keyrings/keyring.ts";
import { staggeredRace } from "../resilience/calls.ts";
import type { Runner } from "../resilience/calls.ts";
import type { HedgeDesk } from "../providers/aws-kms/hedge-desk.ts";
import type { Operation } from "../providers/aws-kms/operation.ts";
import type { GeneratedKey, RegionCaller } from "./region.ts";
import { WrapFanOut } from "../providers/aws-kms/wrap-fan-out.ts";
import { WrapPlan } from "./write-plan.ts";

export interface WrapRequest {
  /** In the order of preference. */
  readonly callers: readonly RegionCaller[];
  readonly minimum: number;
  readonly target: number;
  readonly context: Record<string, string>;
  readonly keyLength: number;
  /** null to have a region generate it. */
  readonly dataKey: SecretBytes | null;
  readonly operation: Operation;
  readonly desk: HedgeDesk;
  readonly attemptTimeoutMs: number;
}

export interface WrapResult {
  readonly dataKey: SecretBytes;
  /** In the order of `callers`. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly report: WrapReport;
  /** How many of the wraps are in substitutes. */
  readonly substitutions: number;
}

export const PROVIDER_ID = "aws-kms";

type Generated = GeneratedKey & { readonly caller: RegionCaller };

/** @throws EnvelopeError `wraps-below-minimum`, `deadline-exceeded`, `aborted`; a data key made here is then wiped. */
export async function wrapInRegions(request: WrapRequest): Promise<WrapResult> {
  const { operation, minimum, target } = request;
  const plan = new WrapPlan(request.callers);
  let { dataKey } = request;
  if (dataKey === null) {
    const generated = operation.cutShort() === null ? await generate(request, plan) : null;
    if (generated === null) throw belowMinimum(request, plan);
    dataKey = generated.dataKey;
    plan.wrapped(generated.caller, generated.ciphertext);
  }
  try {
    if (operation.cutShort() === null) await operation.guard(new WrapFanOut({ ...request, dataKey, plan }));
    if (plan.wraps.size < minimum || operation.cutShort() === "aborted") throw belowMinimum(request, plan);
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
function generate(request: WrapRequest, plan: WrapPlan): Promise<Generated | null> {
  const { operation, desk, minimum } = request;
  const attempts = plan.attempts;
  return operation.guard(
    staggeredRace<Generated>(
      {
        start: (reason) => {
          if (plan.reachable() < minimum) return null;
          const caller = plan.nextGenerator();
          if (caller === null) return null;
          if (reason === "hedge" && !desk.mayHedge(caller, "GenerateDataKey", attempts)) return null;
          desk.started(reason);
          return generator(request, plan, caller, reason);
        },
        discard: ({ dataKey, caller }) => {
          dataKey.wipe();
          plan.unasked(caller, 0);
        },
      },
      operation.time,
    ),
  );
}

function generator(
  request: WrapRequest,
  plan: WrapPlan,
  caller: RegionCaller,
  purpose: "first" | "failover" | "hedge",
): Runner<Generated> {
  const { operation, desk } = request;
  const timeoutMs = operation.shareMs(plan.reachable(), request.attemptTimeoutMs);
  plan.asked(caller);
  const { stragglerMs } = caller.watch;
  const patienceMs = desk.patienceMs(caller, plan.left());
  const call = caller.generateDataKey(request.keyLength, request.context, { purpose, timeoutMs });
  return {
    patienceMs,
    onHopeless: (callback) => caller.watch.onOpened(callback),
    stop: () => {
      call.stop(operation.cutShort() ?? "overtaken");
    },
    outcome: call.result.then((result) => {
      if (result.kind === "done") {
        if (purpose === "hedge") desk.won();
        return { ...result.value, caller };
      }
      if (result.kind === "failed") plan.refused(caller, result.attempt);
      // A region that was silent for that long already is not waited for again in the same write.
      else if (result.elapsedMs >= stragglerMs) plan.silent(caller);
      else plan.unasked(caller, result.elapsedMs);
      return null;
    }),
  };
}

function encryptedDataKeys(plan: WrapPlan): readonly EncryptedDataKey[] {
  return plan.inOrder().map(([{ keyArn }, ciphertext]) => ({
    providerId: PROVIDER_ID,
    providerInfo: Buffer.from(keyArn, "utf8"),
    ciphertext,
  }));
}

function belowMinimum({ operation, minimum }: WrapRequest, plan: WrapPlan): EnvelopeError {
  const attempts: readonly RegionAttempt[] = plan.attempts;
  const said = attempts.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  switch (operation.cutShort()) {
    case "aborted":
      return new EnvelopeError("aborted", "The operation was aborted", { attempts });
    case "deadline":
      return new EnvelopeError(
        "deadline-exceeded",
        `The deadline passed with ${plan.wraps.size} of at least ${minimum} wraps (${said})`,
        { attempts },
      );
    case null:
      return new EnvelopeError(
        "wraps-below-minimum",
        `${plan.wraps.size} regions wrapped the data key, at least ${minimum} must (${said})`,
        { attempts },
      );
  }
}
