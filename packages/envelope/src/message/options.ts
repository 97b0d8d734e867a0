/**
 * Options of encrypt and decrypt: their types, their defaults, and their one place of checking.
 */
import { EnvelopeError } from "../errors.ts";
import { canonicalContext } from "../format/encryption-context.ts";
import type { CallersContext, EncryptionContext } from "../format/encryption-context.ts";
import { ALGORITHM_SUITES, enforceLimit, resolveLimits } from "../format/suites.ts";
import type { AlgorithmSuite, CommittingSuiteName, MessageLimits, NonCommittingSuiteName } from "../format/suites.ts";
import {
  DEFAULT_COMMITMENT_POLICY,
  defaultSuiteName,
  isCommitmentPolicy,
  materialsManager,
  requireEncryptAllowed,
} from "../materials/materials-manager.ts";
import type { CommitmentPolicy, DefaultPolicy, KeySource, MaterialsManager } from "../materials/materials-manager.ts";
import type { FrameCipherKey } from "./sealing.ts";

interface CommonOptions {
  /** Entries of the context that are authenticated but not stored in the message: the reader must bring them. */
  readonly requiredContextKeys?: readonly string[];
  readonly limits?: Partial<MessageLimits>;
  readonly signal?: AbortSignal;
  /**
   * Threads that share the work on buffers of 4 MiB and more, from `@strongroom/envelope/workers`. Streams do not use
   * them.
   */
  readonly workers?: FrameWorkers;
}

/** The regular frames of one body: what worker threads are given to seal or to open. */
export interface FrameWork {
  readonly kind: "seal" | "open";
  readonly frameKey: FrameCipherKey;
  readonly frameLength: number;
  /** Regular frames in all. */
  readonly frames: number;
  readonly input: Uint8Array;
  /** Where the first frame begins in `input`. */
  readonly inputOffset: number;
  /** Holds every byte only when all has gone well. */
  readonly output: Uint8Array;
  readonly outputOffset: number;
}

/** What encrypt and decrypt ask of worker threads. */
export interface FrameWorkers {
  /** Whether dividing a body of this many bytes pays for handing it over. */
  takes(plaintextLength: number, frameLength: number): boolean;
  /** @throws EnvelopeError `decryption-failed` when a frame did not authenticate, `worker-failed`, `aborted` */
  run(work: FrameWork, signal: AbortSignal | undefined): Promise<void>;
}

interface EncryptCommonOptions extends CommonOptions {
  /** Non-secret pairs that name what the message is: checked on decrypt. `{}` says on purpose that there are none. */
  readonly encryptionContext: EncryptionContext;
  /** Bytes of plaintext per frame. */
  readonly frameLength?: number;
}

/** The suites that each policy lets one write: one without commitment only under the policy that says so. */
interface SuitesToWrite {
  readonly "require-encrypt-require-decrypt": CommittingSuiteName;
  readonly "require-encrypt-allow-decrypt": CommittingSuiteName;
  readonly "forbid-encrypt-allow-decrypt": NonCommittingSuiteName;
}

/**
 * Options of encrypt under one policy, {@link DefaultPolicy} where none is given. No union over suites and policies:
 * of a union the compiler shows one member, and that would not be the one with the option that was forgotten.
 */
export type EncryptOptionsUnder<Policy extends CommitmentPolicy> = EncryptCommonOptions &
  KeySource & { readonly suite?: SuitesToWrite[Policy]; readonly commitmentPolicy?: Policy };

/** Options of encrypt, for variables: `encrypt` itself tells the policy from what it is given. */
export type EncryptOptions = EncryptOptionsUnder<DefaultPolicy> | PolicyNamed<Exclude<CommitmentPolicy, DefaultPolicy>>;

type PolicyNamed<Policy extends CommitmentPolicy> = Policy extends CommitmentPolicy
  ? EncryptOptionsUnder<Policy> & { readonly commitmentPolicy: Policy }
  : never;

export type DecryptOptions = CommonOptions & {
  /** What the message must have been made for: compared exactly, before any key is asked for. */
  readonly encryptionContext: EncryptionContext;
  readonly commitmentPolicy?: CommitmentPolicy;
} & KeySource;

export const DEFAULT_OPTIONS: { readonly frameLength: number; readonly commitmentPolicy: CommitmentPolicy } = {
  /** client-apis/encrypt.md, "Frame Length" */
  frameLength: 4_096,
  commitmentPolicy: DEFAULT_COMMITMENT_POLICY,
};

export interface ResolvedOptions {
  readonly manager: MaterialsManager;
  readonly context: CallersContext;
  readonly requiredContextKeys: readonly string[];
  readonly commitmentPolicy: CommitmentPolicy;
  readonly limits: MessageLimits;
  readonly signal: AbortSignal | undefined;
  readonly workers: FrameWorkers | undefined;
}

export interface ResolvedEncryptOptions extends ResolvedOptions {
  readonly suite: AlgorithmSuite;
  readonly frameLength: number;
}

const NO_KEYS: readonly string[] = [];

function resolveCommon(options: DecryptOptions): ResolvedOptions {
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
export function resolveEncryptOptions(options: EncryptOptionsUnder<CommitmentPolicy>): ResolvedEncryptOptions {
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
