/**
 * The keyring interface (framework/keyring-interface.md): wraps and unwraps data keys. What it works on are materials
 * (framework/structures.md, "Encryption Materials" and "Decryption Materials"). They are values: a keyring returns new
 * ones and leaves those it was given alone.
 */
import type { CipherKey } from "../crypto/key-derivation.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import type { SigningKey } from "../crypto/signature.ts";
import { EnvelopeError } from "../errors.ts";
import type { RegionFailureKind } from "../errors.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey, MessageHeader } from "../format/header.ts";
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
  /**
   * From a manager that remembers headers: told of the one that was verified with these materials, and of the key that
   * verified it.
   */
  readonly remember?: (header: MessageHeader, authenticatedOnly: Uint8Array, cipherKey: CipherKey) => void;
}

export interface KeyringCall {
  /** Aborted when the caller gives up. A keyring that waits for anything honours it. */
  readonly signal: AbortSignal | undefined;
}

export interface Keyring {
  /**
   * Generates a data key if there is none, wraps it, and returns materials with both.
   *
   * @throws EnvelopeError when it could not; the data key it made is then wiped.
   */
  onEncrypt(materials: EncryptionMaterials, call: KeyringCall): Promise<EncryptionMaterials>;
  /**
   * Returns materials with the data key of the first encrypted data key it can unwrap *and* that
   * `materials.accepts`. Never returns materials without one.
   *
   * @throws EnvelopeError `no-matching-key` when none is for this keyring's keys, `decryption-failed` when its keys
   *   refused, or a provider's own code. `encryptedDataKeys` on the error tells what came of each.
   */
  onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    call: KeyringCall,
  ): Promise<DecryptionMaterials>;
}

// Names of raw keys (framework/keyring-interface.md, "key namespace", "key name", "key provider ID").

const RESERVED_NAMESPACE = "aws-kms";

export interface KeyNames {
  readonly keyNamespace: string;
  readonly keyName: string;
}

/** What is wrong with empty or ill-formed names and with the namespace of AWS KMS. */
export function keyNameProblems({ keyNamespace, keyName }: KeyNames): readonly string[] {
  const problems: string[] = [];
  for (const [option, value] of Object.entries({ keyNamespace, keyName })) {
    if (typeof (value as unknown) !== "string" || value === "" || !value.isWellFormed())
      problems.push(`${option} must be a non-empty string`);
  }
  if (typeof (keyNamespace as unknown) === "string" && keyNamespace.startsWith(RESERVED_NAMESPACE)) {
    problems.push(`keyNamespace must not begin with ${RESERVED_NAMESPACE}: that is for keys in AWS KMS`);
  }
  return problems;
}

/** @throws EnvelopeError `option-invalid` */
export function requireKeyNames(names: KeyNames): void {
  const problems = keyNameProblems(names);
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
}
