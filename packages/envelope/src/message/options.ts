/**
 * Options of encrypt and decrypt: their types, their defaults, and their one place of checking.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import { canonicalContext } from "../format/encryption-context.ts";
import type { CanonicalContext, EncryptionContext } from "../format/encryption-context.ts";
import { enforceLimit, resolveLimits } from "../format/limits.ts";
import type { MessageLimits } from "../format/limits.ts";
import { ALGORITHM_SUITES } from "../format/suites.ts";
import type { AlgorithmSuite, CommittingSuiteName, NonCommittingSuiteName } from "../format/suites.ts";
import {
  DEFAULT_COMMITMENT_POLICY,
  defaultSuiteName,
  isCommitmentPolicy,
  requireEncryptAllowed,
} from "../materials/commitment-policy.ts";
import type { CommitmentPolicy } from "../materials/commitment-policy.ts";
import { materialsManager } from "../materials/key-source.ts";
import type { KeySource } from "../materials/key-source.ts";
import type { MaterialsManager } from "../materials/materials-manager.ts";
import type { FramingWorkers } from "../parallel/framing-workers.ts";

interface CommonOptions {
  /** Entries of the context that are authenticated but not stored in the message: the reader must bring them. */
  readonly requiredContextKeys?: readonly string[];
  readonly limits?: Partial<MessageLimits>;
  readonly signal?: AbortSignal;
  /** Threads that share the work on buffers of 4 MiB and more. Streams do not use them. */
  readonly workers?: FramingWorkers;
}

/** A suite without commitment can be written only under the policy that says so. */
export type SuiteChoice =
  | {
      readonly suite?: CommittingSuiteName;
      readonly commitmentPolicy?: "require-encrypt-require-decrypt" | "require-encrypt-allow-decrypt";
    }
  | { readonly suite?: NonCommittingSuiteName; readonly commitmentPolicy: "forbid-encrypt-allow-decrypt" };

export type EncryptOptions = KeySource &
  SuiteChoice &
  CommonOptions & {
    /** Non-secret pairs that name what the message is: checked on decrypt. `{}` says on purpose that there are none. */
    readonly encryptionContext: EncryptionContext;
    /** Bytes of plaintext per frame. */
    readonly frameLength?: number;
  };

export type DecryptOptions = KeySource &
  CommonOptions & {
    /** What the message must have been made for: compared exactly, before any key is asked for. */
    readonly encryptionContext: EncryptionContext;
    readonly commitmentPolicy?: CommitmentPolicy;
  };

export const DEFAULT_OPTIONS: { readonly frameLength: number; readonly commitmentPolicy: CommitmentPolicy } = {
  /** client-apis/encrypt.md, "Frame Length" */
  frameLength: 4_096,
  commitmentPolicy: DEFAULT_COMMITMENT_POLICY,
};

export interface ResolvedOptions {
  readonly manager: MaterialsManager;
  readonly context: CanonicalContext;
  readonly requiredContextKeys: readonly string[];
  readonly commitmentPolicy: CommitmentPolicy;
  readonly limits: MessageLimits;
  readonly signal: AbortSignal | undefined;
  readonly workers: FramingWorkers | undefined;
}

export interface ResolvedEncryptOptions extends ResolvedOptions {
  readonly suite: AlgorithmSuite;
  readonly frameLength: number;
}

const NO_KEYS: readonly string[] = [];

function resolveCommon(options: EncryptOptions | DecryptOptions): ResolvedOptions {
  if (typeof options !== "object" || (options as unknown) === null)
    throw new EnvelopeError("option-invalid", "options are missing");
  const limits = resolveLimits(options.limits);
  const commitmentPolicy = options.commitmentPolicy ?? DEFAULT_OPTIONS.commitmentPolicy;
  if (!isCommitmentPolicy(commitmentPolicy))
    throw new EnvelopeError("option-invalid", "commitmentPolicy is not a policy");
  const requiredContextKeys = options.requiredContextKeys ?? NO_KEYS;
  const absent = requiredContextKeys.filter((key) => !Object.hasOwn(options.encryptionContext, key));
  if (absent.length > 0) {
    throw new EnvelopeError(
      "option-invalid",
      `requiredContextKeys that are not in encryptionContext: ${absent.join(", ")}`,
    );
  }
  return {
    manager: materialsManager(options),
    context: canonicalContext(options.encryptionContext, limits),
    requiredContextKeys,
    commitmentPolicy,
    limits,
    signal: options.signal,
    workers: options.workers,
  };
}

/** @throws EnvelopeError `option-invalid`, `limit-exceeded`, `commitment-policy` */
export function resolveEncryptOptions(options: EncryptOptions): ResolvedEncryptOptions {
  const common = resolveCommon(options);
  const name = options.suite ?? defaultSuiteName(common.commitmentPolicy);
  if (!Object.hasOwn(ALGORITHM_SUITES, name))
    throw new EnvelopeError("option-invalid", "suite is not the name of an algorithm suite");
  const suite = ALGORITHM_SUITES[name];
  requireEncryptAllowed(common.commitmentPolicy, suite);
  const frameLength = options.frameLength ?? DEFAULT_OPTIONS.frameLength;
  if (!Number.isSafeInteger(frameLength) || frameLength < 1) {
    throw new EnvelopeError("option-invalid", "frameLength must be a whole number of bytes from 1");
  }
  enforceLimit(common.limits, "frameBytes", frameLength);
  return { ...common, suite, frameLength };
}

/** @throws EnvelopeError `option-invalid`, `limit-exceeded` */
export function resolveDecryptOptions(options: DecryptOptions): ResolvedOptions {
  return resolveCommon(options);
}

/** @throws EnvelopeError `aborted` */
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason });
}
