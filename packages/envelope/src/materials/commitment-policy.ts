/**
 * Which suites may be written and read (framework/commitment-policy.md). Without commitment one ciphertext can be made
 * to open to different plaintexts under different keys.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import type { AlgorithmSuite, AlgorithmSuiteName } from "../format/suites.ts";

export type CommitmentPolicy =
  "require-encrypt-require-decrypt" | "require-encrypt-allow-decrypt" | "forbid-encrypt-allow-decrypt";

export const DEFAULT_COMMITMENT_POLICY: CommitmentPolicy = "require-encrypt-require-decrypt";

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
