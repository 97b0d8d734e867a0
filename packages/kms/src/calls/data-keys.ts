// Data keys and data key pairs, each for the operation that hands them out plain and the one that does not.

import { randomBytes } from "node:crypto";
import { generateSecret } from "../crypto/backing-secret.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import type { KeySpec } from "../keys/key-spec.ts";
import { unsupported, validationError } from "../protocol/aws-error.ts";
import { integer, oneOf, required, structure } from "../protocol/shape.ts";
import type { Shape } from "../protocol/shape.ts";
import type { Call } from "./call.ts";
import * as members from "./members.ts";
import { endDryRun, keyRequest } from "./operation.ts";

const LENGTH = { AES_128: 16, AES_256: 32 } as const;

/** The input of GenerateDataKey and GenerateDataKeyWithoutPlaintext. */
export interface DataKeyInput {
  readonly KeyId: string;
  readonly EncryptionContext?: EncryptionContext;
  readonly NumberOfBytes?: number;
  readonly KeySpec?: keyof typeof LENGTH;
  readonly GrantTokens?: readonly string[];
  readonly Recipient?: object;
  readonly DryRun?: boolean;
}

export const dataKeyInput: Shape<DataKeyInput> = structure({
  KeyId: required(members.keyId),
  EncryptionContext: members.encryptionContext,
  NumberOfBytes: integer({ min: 1, max: 1024 }),
  KeySpec: oneOf(["AES_128", "AES_256"]),
  GrantTokens: members.grantTokens,
  Recipient: members.recipient,
  DryRun: members.dryRun,
});

/** Nothing plain is handed out, so there is no recipient either. */
export const dataKeyInputWithoutPlaintext: Shape<Omit<DataKeyInput, "Recipient">> = structure({
  KeyId: required(members.keyId),
  EncryptionContext: members.encryptionContext,
  KeySpec: oneOf(["AES_128", "AES_256"]),
  NumberOfBytes: integer({ min: 1, max: 1024 }),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
});

/** A new data key, plain (the caller hands it out or wipes it) and encrypted under the KMS key. */
export function makeDataKey(
  call: Call,
  input: DataKeyInput,
  operation: "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext",
): { key: KeyRecord; plaintext: Buffer; ciphertext: Buffer; materialId: string } {
  const length = lengthOf(input);
  members.refuseRecipient(input.Recipient);
  const context = input.EncryptionContext ?? {};
  const key = call.access.useKey(input.KeyId, keyRequest(operation, input));
  requireSymmetricEncryption(key, operation);
  endDryRun(input.DryRun);
  const plaintext = randomBytes(length);
  const ciphertext = call.material.encrypt(key, plaintext, context);
  call.noteUse(key, operation);
  return { key, plaintext, ciphertext, materialId: call.material.current(key).id };
}

/** Data keys are wrapped by symmetric encryption keys only. */
function requireSymmetricEncryption(key: KeyRecord, operation: string): void {
  requireUsage(key, "ENCRYPT_DECRYPT", operation);
  requireAlgorithm(key, "SYMMETRIC_DEFAULT");
}

function lengthOf(input: DataKeyInput): number {
  if ((input.NumberOfBytes === undefined) === (input.KeySpec === undefined)) {
    throw validationError("Please specify either number of bytes or key spec.");
  }
  return input.KeySpec === undefined ? (input.NumberOfBytes ?? 0) : LENGTH[input.KeySpec];
}

/** Signature keys of ML-DSA and HMAC keys do not come as data keys. */
type PairSpec = Exclude<KeySpec, "SYMMETRIC_DEFAULT" | `HMAC_${string}` | `ML_DSA_${string}`> | "SM2";

const PAIR_SPECS: readonly PairSpec[] = [
  "RSA_2048",
  "RSA_3072",
  "RSA_4096",
  "ECC_NIST_P256",
  "ECC_NIST_P384",
  "ECC_NIST_P521",
  "ECC_SECG_P256K1",
  "ECC_NIST_EDWARDS25519",
  "ML_KEM_512",
  "ML_KEM_768",
  "ML_KEM_1024",
  "SM2",
];

/** The input of GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext. */
export interface DataKeyPairInput {
  readonly EncryptionContext?: EncryptionContext;
  readonly KeyId: string;
  readonly KeyPairSpec: PairSpec;
  readonly GrantTokens?: readonly string[];
  readonly Recipient?: object;
  readonly DryRun?: boolean;
}

export const dataKeyPairInput: Shape<DataKeyPairInput> = structure({
  EncryptionContext: members.encryptionContext,
  KeyId: required(members.keyId),
  KeyPairSpec: required(oneOf(PAIR_SPECS)),
  GrantTokens: members.grantTokens,
  Recipient: members.recipient,
  DryRun: members.dryRun,
});

/** Nothing plain is handed out, so there is no recipient either. */
export const dataKeyPairInputWithoutPlaintext: Shape<Omit<DataKeyPairInput, "Recipient">> = structure({
  EncryptionContext: members.encryptionContext,
  KeyId: required(members.keyId),
  KeyPairSpec: required(oneOf(PAIR_SPECS)),
  GrantTokens: members.grantTokens,
  DryRun: members.dryRun,
});

/** What both operations answer. */
export interface DataKeyPairAnswer {
  readonly PrivateKeyCiphertextBlob: Buffer;
  readonly PublicKey: Buffer;
  readonly KeyId: string;
  readonly KeyPairSpec: string;
  readonly KeyMaterialId: string;
}

/**
 * A new key pair: its private key (PKCS #8) plain, which the caller hands out or wipes, and the answer without it.
 */
export async function makeDataKeyPair(
  call: Call,
  input: DataKeyPairInput,
  operation: "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext",
): Promise<{ readonly privateKey: Buffer; readonly answer: DataKeyPairAnswer }> {
  members.refuseRecipient(input.Recipient);
  if (input.KeyPairSpec === "SM2") throw unsupported("The key spec SM2 is available in China Regions only.");
  const admit = (): KeyRecord => {
    const key = call.access.useKey(input.KeyId, keyRequest(operation, input));
    requireSymmetricEncryption(key, operation);
    return key;
  };
  admit();
  endDryRun(input.DryRun);
  const { secret, publicKey } = await generateSecret(input.KeyPairSpec);
  // Making an RSA key takes a while: the key may have been disabled since.
  const key = admit();
  const ciphertext = call.material.encrypt(key, secret, input.EncryptionContext ?? {});
  call.noteUse(key, operation);
  return {
    privateKey: secret,
    answer: {
      PrivateKeyCiphertextBlob: ciphertext,
      PublicKey: publicKey ?? Buffer.alloc(0),
      KeyId: key.arn,
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: call.material.current(key).id,
    },
  };
}
