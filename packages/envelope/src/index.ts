/**
 * @strongroom/envelope: envelope encryption in the AWS Encryption SDK message format.
 */
export { encrypt } from "./message/encrypt.ts";
export type { EncryptResult } from "./message/encrypt.ts";
export { decrypt } from "./message/decrypt.ts";
export type { DecryptResult } from "./message/decrypt.ts";
export { inspect } from "./message/inspect.ts";
export type { InspectedDataKey, MessageInspection } from "./message/inspect.ts";
export { DEFAULT_OPTIONS } from "./message/options.ts";
export type { DecryptOptions, EncryptOptions } from "./message/options.ts";
export type { EncryptionContext } from "./format/encryption-context.ts";
export type { CommitmentPolicy } from "./materials/materials-manager.ts";

export { decryptStream, encryptStream } from "./streams/web-streams.ts";
export type { DecryptStream, EncryptStream } from "./streams/web-streams.ts";
export { createDecryptStream, createEncryptStream } from "./streams/node-streams.ts";
export type { NodeDecryptStream, NodeEncryptStream } from "./streams/node-streams.ts";
export type { DecryptStreamOptions, DecryptStreamResult, EncryptStreamOptions } from "./streams/stream-options.ts";
export type { EncryptStreamResult } from "./streams/seal-stream.ts";

export type { Keyring } from "./keyrings/keyring.ts";
export { rawAesKeyring } from "./keyrings/raw-aes.ts";
export type { RawAesKeyring, RawAesKeyringOptions } from "./keyrings/raw-aes.ts";
export { cachingMaterials } from "./materials/caching-materials.ts";
export type { CachingMaterials, CachingOptions } from "./materials/caching-materials.ts";

export { ENVELOPE_ERRORS } from "./error-table.ts";
export type { EnvelopeErrorCode } from "./error-table.ts";
export { EnvelopeError, isEnvelopeError } from "./errors.ts";
