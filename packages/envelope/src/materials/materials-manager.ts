/**
 * The cryptographic materials manager (framework/cmm-interface.md) stands between messages and keyrings, and is where
 * materials can be cached. Here: its interface, the commitment policies, and the default one
 * (framework/default-cmm.md), which is a keyring and a fresh signing key for each signed message.
 */
import type { CipherKey } from "../crypto/key-derivation.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import { generateSigningKey } from "../crypto/signature.ts";
import { EnvelopeError } from "../errors.ts";
import { canonicalPairs, PUBLIC_KEY_FIELD } from "../format/encryption-context.ts";
import type { CanonicalContext } from "../format/encryption-context.ts";
import type { EncryptedDataKey, MessageHeader } from "../format/header.ts";
import { FORMAT_LIMITS } from "../format/suites.ts";
import type { AlgorithmSuite, AlgorithmSuiteName } from "../format/suites.ts";
import type {
  CompleteDecryptionMaterials,
  CompleteEncryptionMaterials,
  DecryptionMaterials,
  Keyring,
  KeyringCall,
  OpeningKey,
} from "../keyrings/keyring.ts";
import { having, option } from "../options.ts";
import type { Rows, RowsFor } from "../options.ts";

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
  /**
   * Where it has them: materials that are there already; null when they have to be asked for. A message that need not
   * wait for its key is worked on where it lies: nobody can change it in the meantime.
   */
  encryptionAtHand?(request: EncryptionMaterialsRequest): CompleteEncryptionMaterials | null;
  decryptionAtHand?(request: DecryptionMaterialsRequest): CompleteDecryptionMaterials | null;
  getEncryptionMaterials(request: EncryptionMaterialsRequest, call: KeyringCall): Promise<CompleteEncryptionMaterials>;
  decryptMaterials(request: DecryptionMaterialsRequest, call: KeyringCall): Promise<CompleteDecryptionMaterials>;
}

/** How a header was verified. */
export interface HeaderVerification {
  /** The message's key. */
  readonly cipherKey: CipherKey;
  /** What its data key was opened with, as far as that is known. */
  readonly openedBy: OpeningKey | undefined;
}

/**
 * What may remember that a header was verified, and the key that verified it. It learns of one through
 * `CompleteDecryptionMaterials.remember`.
 */
export interface HeaderMemory {
  /** When this very header was verified before. */
  recall(header: MessageHeader, authenticatedOnly: Uint8Array): HeaderVerification | undefined;
}

/**
 * Which suites may be written and read (framework/commitment-policy.md). Without commitment one ciphertext can be made
 * to open to different plaintexts under different keys.
 */
export type CommitmentPolicy =
  "require-encrypt-require-decrypt" | "require-encrypt-allow-decrypt" | "forbid-encrypt-allow-decrypt";

/** The policy where none is named. */
export type DefaultPolicy = "require-encrypt-require-decrypt";

export const DEFAULT_COMMITMENT_POLICY: DefaultPolicy = "require-encrypt-require-decrypt";

interface Rule {
  readonly encryptCommitting: boolean;
  readonly decryptNonCommitting: boolean;
  /** The suite used when the caller names none. Unsigned: signatures are for readers who trust the writers less. */
  readonly defaultSuite: AlgorithmSuiteName;
}

const RULES: Readonly<Record<CommitmentPolicy, Rule>> = {
  "require-encrypt-require-decrypt": {
    encryptCommitting: true,
    decryptNonCommitting: false,
    defaultSuite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  },
  "require-encrypt-allow-decrypt": {
    encryptCommitting: true,
    decryptNonCommitting: true,
    defaultSuite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  },
  "forbid-encrypt-allow-decrypt": {
    encryptCommitting: false,
    decryptNonCommitting: true,
    defaultSuite: "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256",
  },
};

export function isCommitmentPolicy(value: unknown): value is CommitmentPolicy {
  return typeof value === "string" && Object.hasOwn(RULES, value);
}

export function defaultSuiteName(policy: CommitmentPolicy): AlgorithmSuiteName {
  return RULES[policy].defaultSuite;
}

/** @throws EnvelopeError `commitment-policy` */
export function requireEncryptAllowed(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  if (RULES[policy].encryptCommitting !== suite.committing) refuse(policy, suite, "writing");
}

/** @throws EnvelopeError `commitment-policy` */
export function requireDecryptAllowed(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  if (!suite.committing && !RULES[policy].decryptNonCommitting) refuse(policy, suite, "reading");
}

function refuse(policy: CommitmentPolicy, suite: AlgorithmSuite, verb: string): never {
  throw new EnvelopeError("commitment-policy", `The commitment policy ${policy} forbids ${verb} ${suite.name}`);
}

/** Where keys come from: a keyring, or a materials manager such as a cache around one. Exactly one of the two. */
export type KeySource =
  | { readonly materials: MaterialsManager; readonly keyring?: never }
  // The last one is what the compiler asks for when neither is given.
  | { readonly keyring: Keyring; readonly materials?: never };

/** One default manager per keyring is enough: it holds nothing else. */
const managers = new WeakMap<Keyring, MaterialsManager>();

/** A source as options have it, before it is known to be one. */
export interface SourceValues {
  readonly keyring: Keyring | undefined;
  readonly materials: MaterialsManager | undefined;
}

export const SOURCE_ROWS: Rows<SourceValues> = {
  keyring: option(having<Keyring>("a keyring", "onEncrypt", "onDecrypt")),
  materials: option(having<MaterialsManager>("a materials manager", "getEncryptionMaterials", "decryptMaterials")),
} satisfies RowsFor<KeySource>;

/** @throws EnvelopeError `option-invalid` unless exactly one is given */
export function materialsManager({ keyring, materials }: SourceValues): MaterialsManager {
  if (keyring === undefined && materials !== undefined) return materials;
  if (keyring === undefined || materials !== undefined) {
    throw new EnvelopeError("option-invalid", "Give exactly one of keyring and materials");
  }
  let manager = managers.get(keyring);
  if (manager === undefined) {
    manager = defaultMaterials(keyring);
    managers.set(keyring, manager);
  }
  return manager;
}

export function defaultMaterials(keyring: Keyring): MaterialsManager {
  return {
    async getEncryptionMaterials(request, call) {
      const { suite } = request;
      const signingKey = suite.signature === null ? null : generateSigningKey(suite.signature);
      const materials = await keyring.onEncrypt(
        {
          suite,
          encryptionContext:
            signingKey === null
              ? request.encryptionContext
              : withPublicKey(request.encryptionContext, signingKey.publicKey),
          requiredContextKeys: request.requiredContextKeys,
          dataKey: null,
          encryptedDataKeys: [],
          signingKey,
        },
        call,
      );
      if (materials.dataKey === null) throw new EnvelopeError("wrap-failed", "The keyring made no data key");
      return { ...materials, dataKey: requireKeyLength(suite, materials.dataKey) };
    },

    async decryptMaterials(request, call) {
      requirePublicKeyIfSigned(request.suite, request.encryptionContext);
      const { suite, encryptionContext, requiredContextKeys, accepts } = request;
      const materials = await keyring.onDecrypt(
        { suite, encryptionContext, requiredContextKeys, dataKey: null, accepts },
        request.encryptedDataKeys,
        call,
      );
      if (materials.dataKey === null) throw new EnvelopeError("decryption-failed", "The keyring returned no data key");
      return { ...materials, dataKey: requireKeyLength(suite, materials.dataKey) };
    },
  };
}

/** Refuses a data key of the wrong length for the suite (framework/structures.md, "Plaintext Data Key"). */
function requireKeyLength(suite: AlgorithmSuite, dataKey: SecretBytes): SecretBytes {
  if (dataKey.length !== suite.keyLength) {
    dataKey.wipe();
    throw new EnvelopeError("wrap-failed", `The data key is not ${suite.keyLength} bytes long as ${suite.name} needs`);
  }
  return dataKey;
}

function withPublicKey(context: CanonicalContext, publicKey: string): CanonicalContext {
  return canonicalPairs([...context.pairs, [PUBLIC_KEY_FIELD, publicKey]], FORMAT_LIMITS);
}

/**
 * A signed suite without its key, or a key without its suite, is refused before any key is asked for: the second
 * would be a signed message whose signature was stripped.
 */
export function requirePublicKeyIfSigned(suite: AlgorithmSuite, context: CanonicalContext): void {
  const present = context.pairs.some(([key]) => key === PUBLIC_KEY_FIELD);
  if (present !== (suite.signature !== null)) {
    const problem = present
      ? `carries ${PUBLIC_KEY_FIELD} although its suite is not signed`
      : `lacks ${PUBLIC_KEY_FIELD} although its suite is signed`;
    throw new EnvelopeError("message-malformed", `The message ${problem}`);
  }
}
