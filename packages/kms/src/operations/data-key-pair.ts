// What GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext share.

import { generateSecret } from "../crypto/backing-secret.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { KeySpec } from "../keys/key-spec.ts";
import { unsupported } from "../protocol/aws-error.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";
import type { Shape } from "../protocol/shape.ts";
import { endDryRun } from "./call.ts";
import type { Call } from "./call.ts";
import { requireSymmetricEncryption } from "./data-key.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { refuseRecipient } from "./recipient.ts";

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

/** The input of both. */
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

/** A new key pair; its private key (PKCS #8) plain, which the caller hands out or wipes, and encrypted. */
export async function makeDataKeyPair(
  call: Call,
  input: DataKeyPairInput,
  operation: "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext",
): Promise<{ key: KeyRecord; privateKey: Buffer; publicKey: Buffer; ciphertext: Buffer; materialId: string }> {
  refuseRecipient(input.Recipient);
  if (input.KeyPairSpec === "SM2") throw unsupported("The key spec SM2 is available in China Regions only.");
  const admit = (): KeyRecord => {
    const key = call.useKey(input.KeyId, keyRequest(operation, input));
    requireSymmetricEncryption(key, operation);
    return key;
  };
  admit();
  endDryRun(input.DryRun);
  const { secret, publicKey } = await generateSecret(input.KeyPairSpec);
  // Making an RSA key takes a while: the key may have been disabled since.
  const key = admit();
  const ciphertext = call.seal(key, secret, input.EncryptionContext ?? {});
  call.noteUse(key, operation);
  return {
    key,
    privateKey: secret,
    publicKey: publicKey ?? Buffer.alloc(0),
    ciphertext,
    materialId: call.currentMaterial(key).id,
  };
}
