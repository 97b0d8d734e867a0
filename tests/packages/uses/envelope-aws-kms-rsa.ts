import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { kmsRsaKeyring, type KmsRsaKeyringOptions } from "@strongroom/envelope/aws-kms-rsa";
import { PATIENT, twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const client = new KMS({ ...kms.clientConfig(), maxAttempts: 1 });
  const keyArn = keys[0]!.rsaArn;
  const { PublicKey = new Uint8Array() } = await client.getPublicKey({ KeyId: keyArn });
  const publicKey = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
  const keyring: Keyring = kmsRsaKeyring({ ...PATIENT, keyArn, publicKey, client } satisfies KmsRsaKeyringOptions);
  const suite = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY";
  const { message } = await encrypt(Buffer.from("offline"), { keyring, encryptionContext: {}, suite });
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "offline");
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a forgotten key
  kmsRsaKeyring({});
  // @ts-expect-error a keyring is not a number
  kmsRsaKeyring({ keyArn: "arn" }) satisfies number;
}
