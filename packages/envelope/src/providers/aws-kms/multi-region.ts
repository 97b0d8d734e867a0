/**
 * The multi-region keyring: one data key, wrapped by a key in each of several regions; any one of them opens it again.
 * Encrypted data keys are those of the AWS KMS keyring (framework/aws-kms/aws-kms-keyring.md), so every AWS Encryption
 * SDK reads them. What differs from that keyring is what happens when a region fails.
 */
import { EnvelopeError } from "../../errors/envelope-error.ts";
import type { EncryptedDataKey } from "../../format/encrypted-data-key.ts";
import { contextObject } from "../../format/encryption-context.ts";
import type { CanonicalContext } from "../../format/encryption-context.ts";
import type { Keyring } from "../../keyrings/keyring.ts";
import { requireNoDataKey } from "../../keyrings/materials.ts";
import { Deadline } from "./deadline.ts";
import { resolveMultiRegionOptions } from "./multi-region-options.ts";
import type { MultiRegionOptions } from "./multi-region-options.ts";
import { RegionCaller } from "./region-caller.ts";
import type { RegionHealth } from "./region-health.ts";
import { unwrapInRegions } from "./unwrap-in-regions.ts";
import { PROVIDER_ID, wrapInRegions } from "./wrap-in-regions.ts";

export interface MultiRegionKeyring extends Keyring {
  /** Each region as the calls made so far have shown it, in the configured order. Makes no call. */
  health(): readonly RegionHealth[];
  /** Asks every region for its key (DescribeKey, in parallel, within the deadline), then answers as `health` does. */
  probe(options?: { readonly signal?: AbortSignal }): Promise<readonly RegionHealth[]>;
}

/** @throws EnvelopeError `option-invalid`, with every problem listed */
export function multiRegionKeyring(options: MultiRegionOptions): MultiRegionKeyring {
  const { regions, minimum, target, attemptTimeoutMs, deadlineMs, grantTokens } = resolveMultiRegionOptions(options);
  const callers = regions.map((region) => new RegionCaller({ ...region, attemptTimeoutMs, grantTokens }));
  const health = (): readonly RegionHealth[] => callers.map((caller) => caller.health.snapshot());

  return {
    async onEncrypt(materials, { signal }) {
      using deadline = new Deadline(deadlineMs, signal);
      const { dataKey, encryptedDataKeys, report } = await wrapInRegions({
        callers: restingLast(callers),
        minimum,
        target,
        context: kmsContext(materials.encryptionContext),
        keyLength: materials.suite.keyLength,
        dataKey: materials.dataKey,
        deadline,
      });
      return { ...materials, dataKey, encryptedDataKeys: [...materials.encryptedDataKeys, ...encryptedDataKeys], wraps: report };
    },

    async onDecrypt(materials, encryptedDataKeys, { signal }) {
      requireNoDataKey(materials);
      using deadline = new Deadline(deadlineMs, signal);
      const dataKey = await unwrapInRegions({
        candidates: restingLast(callers).flatMap((caller) => ownKeys(caller, encryptedDataKeys)),
        encryptedDataKeys,
        keyLength: materials.suite.keyLength,
        context: kmsContext(materials.encryptionContext),
        accepts: (candidate) => materials.accepts(candidate),
        deadline,
      });
      return { ...materials, dataKey };
    },

    health,

    async probe({ signal } = {}) {
      using deadline = new Deadline(deadlineMs, signal);
      await Promise.all(callers.map((caller) => caller.describe(deadline)));
      if (deadline.cutShort === "aborted") throw new EnvelopeError("aborted", "The probe was aborted");
      return health();
    },
  };
}

/** Only configured ARNs are ever called: what a message names is matched, never obeyed. */
function ownKeys(caller: RegionCaller, encryptedDataKeys: readonly EncryptedDataKey[]): { caller: RegionCaller; key: EncryptedDataKey }[] {
  return encryptedDataKeys
    .filter(({ providerId, providerInfo }) => providerId === PROVIDER_ID && Buffer.from(providerInfo).toString("utf8") === caller.keyArn)
    .map((key) => ({ caller, key }));
}

/** The configured order, but regions that failed a moment ago go last: still tried, no longer waited for first. */
function restingLast(callers: readonly RegionCaller[]): readonly RegionCaller[] {
  const now = new Date();
  const resting = callers.filter((caller) => caller.health.isResting(now));
  return resting.length === 0 ? callers : [...callers.filter((caller) => !resting.includes(caller)), ...resting];
}

function kmsContext(context: CanonicalContext): Record<string, string> {
  return { ...contextObject(context) };
}
