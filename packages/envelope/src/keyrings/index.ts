/**
 * @strongroom/envelope/keyrings: for a keyring of your own, and for reading what a keyring reports. The keyrings that
 * come with the package are the root's and the other subpaths'.
 */
export { randomSecret, SecretBytes } from "../crypto/secret.ts";
export type { SigningKey } from "../crypto/signature.ts";
export type {
  AnsweredCall,
  EncryptedDataKeyReport,
  EnvelopeErrorDetails,
  OnCall,
  RegionAttempt,
  RegionFailureKind,
  RegionOperation,
} from "../errors.ts";
export type { CanonicalContext } from "../format/encryption-context.ts";
export type { EncryptedDataKey } from "../format/header.ts";
export { namedKey } from "./data-keys.ts";
export {
  branchKeyVersionOf as wrapVersionOf,
  DERIVED_SEALING_OVERHEAD,
  openUnder,
  sealUnder,
  unwrapUnder,
  wrapUnder,
} from "./branch-key-wrapping.ts";
export type { DerivedSealing } from "./branch-key-wrapping.ts";
export { rewrapKey } from "./rewrapped-keys.ts";
export type { RewrappingOptions } from "./rewrapped-keys.ts";
export { keyedHash, makeKey, unwrapKey, wrapKey } from "./wrapped-keys.ts";
export type { KeyWraps, MadeKey, UnwrappedKey, UnwrappingOptions, WrappingOptions } from "./wrapped-keys.ts";
export type { AlgorithmSuite } from "../format/suites.ts";
export type {
  DecryptionMaterials,
  EncryptionMaterials,
  Keyring,
  KeyringCall,
  MadeWrap,
  OpeningKey,
  Rewrapped,
  Rewrapping,
  WrapReport,
} from "./keyring.ts";
