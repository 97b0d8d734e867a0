/**
 * @strongroom/envelope: envelope encryption in the AWS Encryption SDK message format.
 */
export { encrypt } from "./message/encrypt.ts";
export type { EncryptResult } from "./message/encrypt.ts";
export { decrypt } from "./message/decrypt.ts";
export type { DecryptResult } from "./message/decrypt.ts";
export { inspect } from "./message/inspect.ts";
export type { InspectedDataKey, MessageInspection } from "./message/inspect.ts";
export { decryptStream, encryptStream } from "./streams/web-streams.ts";
export type { DecryptStream, EncryptStream } from "./streams/web-streams.ts";
export { createDecryptStream, createEncryptStream } from "./streams/node-streams.ts";
export type { NodeDecryptStream, NodeEncryptStream } from "./streams/node-streams.ts";
export type { DecryptStreamOptions, DecryptStreamResult, EncryptStreamOptions } from "./streams/stream-options.ts";
export type { EncryptStreamResult } from "./streams/seal-stream.ts";
export type { SignedMessages } from "./streams/open-stream.ts";
export { DEFAULT_OPTIONS } from "./message/options.ts";
export type { DecryptOptions, EncryptOptions, SuiteChoice } from "./message/options.ts";

export type { CanonicalContext, EncryptionContext } from "./format/encryption-context.ts";
export type { EncryptedDataKey } from "./format/encrypted-data-key.ts";
export { DEFAULT_LIMITS } from "./format/limits.ts";
export type { MessageLimits } from "./format/limits.ts";
export { ALGORITHM_SUITES } from "./format/suites.ts";
export type {
  AlgorithmSuite,
  AlgorithmSuiteName,
  CommittingSuiteName,
  NonCommittingSuiteName,
} from "./format/suites.ts";

export type { Keyring, KeyringCall } from "./keyrings/keyring.ts";
export type { DecryptionMaterials, EncryptionMaterials, WrapReport } from "./keyrings/materials.ts";
export { rawAesKeyring } from "./keyrings/raw-aes.ts";
export type { RawAesKeyring, RawAesKeyringOptions } from "./keyrings/raw-aes.ts";

export { framingWorkers, PARALLEL_FROM_BYTES } from "./parallel/framing-workers.ts";
export type { FramingWorkers, FramingWorkersOptions } from "./parallel/framing-workers.ts";
export type { KeySource } from "./materials/key-source.ts";
export { cachingMaterials, CACHING_DEFAULTS } from "./materials/caching-materials.ts";
export { MATERIALS_CACHE_CHANNEL } from "./materials/cache-events.ts";
export type { CachingMaterials, CachingOptions } from "./materials/caching-materials.ts";
export type { CacheCounts, CacheEvent } from "./materials/cache-events.ts";
export type { CommitmentPolicy } from "./materials/commitment-policy.ts";
export type {
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
  MaterialsManager,
} from "./materials/materials-manager.ts";
export type { CompleteDecryptionMaterials, CompleteEncryptionMaterials } from "./keyrings/materials.ts";

export { SecretBytes } from "./crypto/secret.ts";
export type { SigningKey } from "./crypto/signature.ts";

export { EnvelopeError } from "./errors/envelope-error.ts";
export type { EnvelopeErrorDetails } from "./errors/envelope-error.ts";
export { ENVELOPE_ERRORS } from "./errors/catalogue.ts";
export type { EnvelopeErrorCode } from "./errors/catalogue.ts";
export type { EncryptedDataKeyReport, RegionAttempt, RegionFailureKind, RegionOperation } from "./errors/attempts.ts";
