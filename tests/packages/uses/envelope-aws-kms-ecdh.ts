import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { kmsEcdhKeyring, type KmsEcdhSchema } from "@strongroom/envelope/aws-kms-ecdh";
import { PATIENT, twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const client = new KMS({ ...kms.clientConfig(), maxAttempts: 1 });
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const schema: KmsEcdhSchema = {
    kind: "KmsPrivateKeyToStaticPublicKey",
    senderKeyArn: keys[0]!.ecArn,
    recipientPublicKey: publicKey,
  };
  const keyring: Keyring = await kmsEcdhKeyring({ curve: "ECC_NIST_P256", schema, client, ...PATIENT });
  const { message } = await encrypt(Buffer.from("agreed"), { keyring, encryptionContext: {} });
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "agreed");
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(client: KMS): void {
  // @ts-expect-error a forgotten schema
  void kmsEcdhKeyring({ curve: "ECC_NIST_P256", client });
  // @ts-expect-error there is no such schema
  ({ kind: "KmsNothing" }) satisfies KmsEcdhSchema;
}
