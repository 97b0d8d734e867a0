/**
 * What keyrings work on (framework/structures.md, "Encryption Materials" and "Decryption Materials"). Materials are
 * values: a keyring returns new ones and leaves those it was given alone.
 */
import type { SecretBytes } from "../crypto/secret.ts";
import type { SigningKey } from "../crypto/signature.ts";
import { EnvelopeError } from "../errors/envelope-error.ts";
import type { RegionFailureKind } from "../errors/attempts.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { AlgorithmSuite } from "../format/suites.ts";

/** Where a data key's wraps are, and where they should be but are not. */
export interface WrapReport {
  readonly target: number;
  readonly minimum: number;
  readonly stored: readonly { readonly region: string; readonly keyArn: string }[];
  /** Empty when the target is met. */
  readonly missing: readonly { readonly region: string; readonly keyArn: string; readonly reason: RegionFailureKind }[];
}

export interface EncryptionMaterials {
  readonly suite: AlgorithmSuite;
  /** Everything that is authenticated: stored entries, required entries and the public signing key. */
  readonly encryptionContext: CanonicalContext;
  /** Keys of the context that are authenticated but not stored in the message. */
  readonly requiredContextKeys: readonly string[];
  /** null until a keyring generates it. */
  readonly dataKey: SecretBytes | null;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly signingKey: SigningKey | null;
  readonly wraps?: WrapReport;
}

export interface DecryptionMaterials {
  readonly suite: AlgorithmSuite;
  readonly encryptionContext: CanonicalContext;
  readonly requiredContextKeys: readonly string[];
  readonly dataKey: SecretBytes | null;
  /**
   * Whether this data key is the message's own: derives the message's keys and verifies commitment and header.
   * Keyrings ask it for every candidate, so that a region that answers a wrong key costs a try and not the read.
   */
  accepts(candidate: Uint8Array): boolean;
}

/** Materials that may be sealed with. */
export interface CompleteEncryptionMaterials extends EncryptionMaterials {
  readonly dataKey: SecretBytes;
}

export interface CompleteDecryptionMaterials extends DecryptionMaterials {
  readonly dataKey: SecretBytes;
}

/** Refuses a data key of the wrong length for the suite (framework/structures.md, "Plaintext Data Key"). */
export function requireKeyLength(suite: AlgorithmSuite, dataKey: SecretBytes): SecretBytes {
  if (dataKey.length !== suite.keyLength) {
    dataKey.wipe();
    throw new EnvelopeError("wrap-failed", `The data key is not ${suite.keyLength} bytes long as ${suite.name} needs`);
  }
  return dataKey;
}

/**
 * Called first by every onDecrypt (framework/keyring-interface.md, "OnDecrypt"): two data keys are a programming error.
 */
export function requireNoDataKey(materials: DecryptionMaterials): void {
  if (materials.dataKey !== null) {
    throw new EnvelopeError("option-invalid", "onDecrypt was called with materials that already have a data key");
  }
}
