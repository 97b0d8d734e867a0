/**
 * The multi-region keyring: one data key, wrapped by a key in each of several regions; any one of them opens it again.
 * Encrypted data keys are those of the AWS KMS keyring (framework/aws-kms/aws-kms-keyring.md), so every AWS Encryption
 * SDK reads them. What differs from that keyring is what happens when a region fails: the policy lives here, in
 * unwrap-in-regions.ts (reads), wrap-in-regions.ts (writes) and region-watch.ts (who may be called), on the state
 * machines of ../../resilience. docs/resilience-matrix.md shows what it promises and keeps.
 */
import { EnvelopeError } from "../errors.ts";
import { contextObject } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { Keyring } from "../keyrings/keyring.ts";
import { requireNoDataKey } from "../keyrings/keyring.ts";
import { HedgeBudget } from "../resilience/hedge-budget.ts";
import { ThrottleBucket } from "../resilience/call-limits.ts";
import { Counters } from "../providers/aws-kms/counters.ts";
import type { Counted, KeyringCounters } from "../providers/aws-kms/counters.ts";
import { publish } from "../providers/aws-kms/events.ts";
import { HedgeDesk } from "../providers/aws-kms/hedge-desk.ts";
import { lanesOf } from "../providers/aws-kms/lanes.ts";
import { resolveMultiRegionOptions } from "../providers/aws-kms/multi-region-options.ts";
import type { MultiRegionOptions, ResolvedMultiRegionOptions } from "../providers/aws-kms/multi-region-options.ts";
import { Operation } from "../providers/aws-kms/operation.ts";
import { RegionCaller } from "./region.ts";
import type { RegionHealth } from "./telemetry.ts";
import { RegionWatch } from "./region-state.ts";
import { unwrapInRegions } from "./read.ts";
import { wrapInRegions } from "./write.ts";

export interface MultiRegionKeyring extends Keyring {
  /** Each region as the calls made so far have shown it, in the configured order. Makes no call. */
  health(): readonly RegionHealth[];
  /** How often each decision of the policy was taken. */
  counters(): KeyringCounters;
  /** Asks every region for its key (DescribeKey, in parallel, within the deadline), then answers as `health` does. */
  probe(options?: { readonly signal?: AbortSignal }): Promise<readonly RegionHealth[]>;
}

/** @throws EnvelopeError `option-invalid`, with every problem listed */
export function multiRegionKeyring(options: MultiRegionOptions): MultiRegionKeyring {
  const resolved = resolveMultiRegionOptions(options);
  const { minimum, target, settings, time } = resolved;
  const { attemptTimeoutMs, deadlineMs } = settings;
  const callers = regionCallers(resolved);
  const budget = new HedgeBudget(settings);
  const counters = new Counters();
  const desk = new HedgeDesk(budget, counters, settings);
  const health = (): readonly RegionHealth[] => callers.map((caller) => caller.watch.snapshot());

  async function operate<T>(
    kind: "read" | "write",
    signal: AbortSignal | undefined,
    run: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    using operation = new Operation({ time, deadlineMs, signal });
    counters.add(COUNTED[kind].all);
    let code: string | null = null;
    try {
      return await run(operation);
    } catch (error) {
      counters.add(COUNTED[kind].failed);
      code = error instanceof EnvelopeError ? error.code : "unknown";
      throw error;
    } finally {
      publish(() => ({ kind: "operation", operation: kind, code, elapsedMs: operation.elapsedMs }));
    }
  }

  return {
    onEncrypt: (materials, { signal }) =>
      operate("write", signal, async (operation) => {
        const { dataKey, encryptedDataKeys, report, substitutions } = await wrapInRegions({
          callers,
          minimum,
          target,
          context: kmsContext(materials.encryptionContext),
          keyLength: materials.suite.keyLength,
          dataKey: materials.dataKey,
          operation,
          desk,
          attemptTimeoutMs,
        });
        counters.add("substitutions", substitutions);
        if (report.stored.length < target) {
          counters.add("writesBelowTarget");
          const missing = report.missing.map(({ region, reason }) => ({ region, reason }));
          publish(() => ({ kind: "wraps-missing", stored: report.stored.length, target, missing }));
        }
        return {
          ...materials,
          dataKey,
          encryptedDataKeys: [...materials.encryptedDataKeys, ...encryptedDataKeys],
          wraps: report,
        };
      }),

    onDecrypt: (materials, encryptedDataKeys, { signal }) =>
      operate("read", signal, async (operation) => {
        requireNoDataKey(materials);
        const dataKey = await unwrapInRegions({
          lanes: lanesOf(callers, encryptedDataKeys),
          encryptedDataKeys,
          keyLength: materials.suite.keyLength,
          context: kmsContext(materials.encryptionContext),
          accepts: (candidate) => materials.accepts(candidate),
          operation,
          desk,
          attemptTimeoutMs,
        });
        return { ...materials, dataKey };
      }),

    health,
    counters: () => counters.snapshot(budget),

    async probe({ signal } = {}) {
      using operation = new Operation({ time, deadlineMs, signal });
      if (operation.cutShort() === null) {
        const calls = callers.map((caller) =>
          caller.describe({ purpose: "health-check", timeoutMs: attemptTimeoutMs }),
        );
        const stop = (): void => {
          for (const call of calls) call.stop(operation.cutShort() ?? "deadline");
        };
        await operation.guard({ result: Promise.all(calls.map(({ result }) => result)), stop });
      }
      if (operation.cutShort() === "aborted") throw new EnvelopeError("aborted", "The probe was aborted");
      return health();
    },
  };
}

const COUNTED: Readonly<Record<"read" | "write", { readonly all: Counted; readonly failed: Counted }>> = {
  read: { all: "reads", failed: "readsFailed" },
  write: { all: "writes", failed: "writesFailed" },
};

function regionCallers({ regions, settings, time, grantTokens }: ResolvedMultiRegionOptions): readonly RegionCaller[] {
  const buckets = new Map<string, ThrottleBucket>();
  return regions.map(({ key, client, group, role }) => {
    const bucket = buckets.get(key.region) ?? new ThrottleBucket(settings);
    buckets.set(key.region, bucket);
    const watch = new RegionWatch({ region: key.region, keyArn: key.arn, group, role, settings, time, bucket });
    return new RegionCaller({ key, group, role, client, grantTokens, watch, time });
  });
}

function kmsContext(context: CanonicalContext): Record<string, string> {
  return { ...contextObject(context) };
}
