/**
 * The cryptographic materials manager interface (framework/cmm-interface.md): stands between messages and keyrings,
 * and is where materials can be cached.
 */
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { KeyringCall } from "../keyrings/keyring.ts";
import type {
  CompleteDecryptionMaterials,
  CompleteEncryptionMaterials,
  DecryptionMaterials,
} from "../keyrings/materials.ts";
import type { CommitmentPolicy } from "./commitment-policy.ts";
import type { HeaderMemory } from "./header-memory.ts";

export interface EncryptionMaterialsRequest {
  readonly suite: AlgorithmSuite;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: CanonicalContext;
  readonly requiredContextKeys: readonly string[];
  /** Bytes of the plaintext, null for a stream of unknown length. */
  readonly plaintextLength: number | null;
}

export interface DecryptionMaterialsRequest {
  readonly suite: AlgorithmSuite;
  readonly commitmentPolicy: CommitmentPolicy;
  /** The message's context with the caller's required entries in it. */
  readonly encryptionContext: CanonicalContext;
  readonly requiredContextKeys: readonly string[];
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** See DecryptionMaterials.accepts. */
  readonly accepts: DecryptionMaterials["accepts"];
}

/** The caller of either method owns the data key it gets, and wipes it. */
export interface MaterialsManager {
  /** Where it has one: asked before `decryptMaterials`, which a remembered header makes needless. */
  readonly headers?: HeaderMemory;
  getEncryptionMaterials(request: EncryptionMaterialsRequest, call: KeyringCall): Promise<CompleteEncryptionMaterials>;
  decryptMaterials(request: DecryptionMaterialsRequest, call: KeyringCall): Promise<CompleteDecryptionMaterials>;
}
