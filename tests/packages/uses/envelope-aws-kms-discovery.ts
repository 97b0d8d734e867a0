import assert from "node:assert/strict";
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { kmsDiscoveryKeyring, type KmsDiscoveryOptions } from "@strongroom/envelope/aws-kms-discovery";
import { PATIENT, twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const clients = Object.fromEntries(
    keys.map(({ region }) => [region, new KMS({ ...kms.clientConfig(region), maxAttempts: 1 })]),
  );
  const regions = keys.map(({ region, keyArn }) => ({ region, keyArn, client: clients[region]! }));
  const { message } = await encrypt(Buffer.from("found"), {
    keyring: multiRegionKeyring({ ...PATIENT, regions, minimum: 1 }),
    encryptionContext: {},
  });
  const options: KmsDiscoveryOptions = {
    ...PATIENT,
    clients,
    filter: { partition: "aws", accounts: ["000000000000"] },
  };
  const keyring: Keyring = kmsDiscoveryKeyring(options);
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "found");
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a forgotten filter
  kmsDiscoveryKeyring({ clients: {} });
  // @ts-expect-error a keyring is not a number
  kmsDiscoveryKeyring({ clients: {}, filter: { partition: "aws", accounts: [] } }) satisfies number;
}
