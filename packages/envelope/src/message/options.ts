/**
 * Options of encrypt and decrypt: their types, their defaults, and their one place of checking.
 */
import { EnvelopeError, shown, shownList } from "../errors.ts";
import type { OnCall } from "../errors.ts";
import { canonicalContext } from "../format/encryption-context.ts";
import type { CallersContext, EncryptionContext } from "../format/encryption-context.ts";
import { ALGORITHM_SUITES, DEFAULT_LIMITS, enforceLimit, FORMAT_LIMITS, limitsOption } from "../format/suites.ts";
import type {
  AlgorithmSuite,
  AlgorithmSuiteName,
  CommittingSuiteName,
  MessageLimits,
  NonCommittingSuiteName,
} from "../format/suites.ts";
import {
  DEFAULT_COMMITMENT_POLICY,
  defaultSuiteName,
  isCommitmentPolicy,
  materialsManager,
  requireEncryptAllowed,
  SOURCE_ROWS,
} from "../materials/materials-manager.ts";
import type {
  CommitmentPolicy,
  DefaultPolicy,
  KeySource,
  MaterialsManager,
  SourceValues,
} from "../materials/materials-manager.ts";
import {
  abortSignal,
  anyText,
  anything,
  having,
  listOf,
  needed,
  objectOf,
  oneOf,
  option,
  readOptions,
  thatIs,
  toldOfCalls,
  wholeNumber,
} from "../options.ts";
import type { Rows, RowsFor } from "../options.ts";
import type { FrameCipherKey } from "./sealing.ts";

interface CommonOptions {
  /** Entries of the context that are authenticated but not stored in the message: the reader must bring them. */
  readonly requiredContextKeys?: readonly string[];
  readonly limits?: Partial<MessageLimits>;
  readonly signal?: AbortSignal;
  /**
   * Told of each call to a KMS that is answered while it is waited for, with the id by which the KMS's own log has it:
   * for a log of one's own. What is at hand takes none.
   */
  readonly onCall?: OnCall;
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

interface DecryptCommonOptions extends CommonOptions {
  readonly commitmentPolicy?: CommitmentPolicy;
}

/** Options of reading, of buffers and of streams. */
export type ReadOptions = DecryptCommonOptions &
  KeySource & {
    /** What the message must have been made for: compared exactly, before any key is asked for. */
    readonly encryptionContext: EncryptionContext;
  };

export type DecryptOptions = DecryptCommonOptions &
  KeySource & {
    /**
     * What the message must have been made for: compared exactly, before any key is asked for.
     *
     * `as-stored` compares nothing: any message that the keys open is read, be it anybody's or in another's place. The
     * context is authenticated, and in the result; checking it is the caller's part then. For migrations.
     */
    readonly encryptionContext: EncryptionContext | "as-stored";
    /**
     * `require` refuses a message of an unsigned suite (`signature-required`) before any key is asked for; `allow`, the
     * default, reads both. A signature that is there is verified either way.
     */
    readonly signedMessages?: "allow" | "require";
  };

export const DEFAULT_OPTIONS: { readonly frameLength: number; readonly commitmentPolicy: CommitmentPolicy } = {
  /** client-apis/encrypt.md, "Frame Length" */
  frameLength: 4_096,
  commitmentPolicy: DEFAULT_COMMITMENT_POLICY,
};

/** Options that are settled as soon as they are read. */
interface PlainValues {
  readonly requiredContextKeys: readonly string[];
  readonly commitmentPolicy: CommitmentPolicy;
  readonly limits: MessageLimits;
  readonly signal: AbortSignal | undefined;
  readonly onCall: OnCall | undefined;
  readonly workers: FrameWorkers | undefined;
}

/** Options as they are read. */
interface CommonValues extends SourceValues, PlainValues {
  readonly encryptionContext: unknown;
}

export interface EncryptValues extends CommonValues {
  readonly suite: AlgorithmSuiteName | undefined;
  readonly frameLength: number;
}

const COMMON_ROWS: Rows<CommonValues> = {
  ...SOURCE_ROWS,
  encryptionContext: needed(anything),
  requiredContextKeys: option(listOf(anyText), Object.freeze([])),
  commitmentPolicy: option(thatIs(isCommitmentPolicy, "a commitment policy"), DEFAULT_OPTIONS.commitmentPolicy),
  limits: limitsOption(DEFAULT_LIMITS),
  signal: option(abortSignal),
  onCall: option(toldOfCalls),
  workers: option(having<FrameWorkers>("framing workers", "takes", "run")),
};

export const ENCRYPT_ROWS: Rows<EncryptValues> = {
  ...COMMON_ROWS,
  suite: option(oneOf(Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[])),
  frameLength: option(wholeNumber(1, FORMAT_LIMITS.frameBytes, " bytes"), DEFAULT_OPTIONS.frameLength),
} satisfies RowsFor<EncryptOptions>;

export const READ_ROWS: Rows<CommonValues> = COMMON_ROWS satisfies RowsFor<ReadOptions>;

const readEncrypt = objectOf(ENCRYPT_ROWS);
const readDecrypt = objectOf({
  ...READ_ROWS,
  signedMessages: option(oneOf(["allow", "require"]), "allow"),
} satisfies RowsFor<DecryptOptions>);

/** Options that are checked and settled. */
export interface ResolvedOptions extends PlainValues {
  readonly manager: MaterialsManager;
  /** null: whatever the message stores. */
  readonly context: CallersContext | null;
}

export interface ResolvedEncryptOptions extends ResolvedOptions {
  readonly context: CallersContext;
  readonly suite: AlgorithmSuite;
  readonly frameLength: number;
}

export interface ResolvedDecryptOptions extends ResolvedOptions {
  readonly signatureRequired: boolean;
}

/** @throws EnvelopeError `option-invalid`, `limit-exceeded`, `commitment-policy` */
export function resolveEncryptOptions(options: unknown): ResolvedEncryptOptions {
  return resolveEncryptValues(readOptions(readEncrypt, options));
}

/** The same, once they are read. */
export function resolveEncryptValues(values: EncryptValues): ResolvedEncryptOptions {
  const common = resolveCommon(values);
  const suite = ALGORITHM_SUITES[values.suite ?? defaultSuiteName(common.commitmentPolicy)];
  requireEncryptAllowed(common.commitmentPolicy, suite);
  enforceLimit(common.limits, "frameBytes", values.frameLength);
  return { ...common, suite, frameLength: values.frameLength };
}

/** @throws EnvelopeError `option-invalid`, `limit-exceeded` */
export function resolveDecryptOptions(options: unknown): ResolvedDecryptOptions {
  const values = readOptions(readDecrypt, options);
  const signatureRequired = values.signedMessages === "require";
  if (values.encryptionContext !== AS_STORED) return { ...resolveCommon(values), signatureRequired };
  if (values.requiredContextKeys.length > 0)
    throw new EnvelopeError("option-invalid", "requiredContextKeys are not stored: as-stored cannot supply them");
  return { ...resolveCommon({ ...values, encryptionContext: {} }), context: null, signatureRequired };
}

const AS_STORED = "as-stored";

/** Of values that were read. @throws EnvelopeError `option-invalid`, `limit-exceeded` */
export function resolveCommon(values: CommonValues): ResolvedOptions & { readonly context: CallersContext } {
  const { limits, requiredContextKeys, commitmentPolicy, signal, onCall, workers } = values;
  const context = canonicalContext(values.encryptionContext, limits);
  const absent = requiredContextKeys.filter((key) => !context.pairs.some(([there]) => there === key));
  if (absent.length > 0) {
    const names = shownList(absent.map((key) => shown(key)));
    throw new EnvelopeError("option-invalid", `requiredContextKeys that are not in encryptionContext: ${names}`);
  }
  const manager = materialsManager(values);
  return { manager, context, requiredContextKeys, commitmentPolicy, limits, signal, onCall, workers };
}
