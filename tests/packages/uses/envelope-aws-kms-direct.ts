import assert from "node:assert/strict";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import {
  decryptDirect,
  DIRECT_LIMIT_BYTES,
  type DirectEncryptResult,
  encryptDirect,
} from "@strongroom/envelope/aws-kms-direct";
import { PATIENT, twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const regions = keys.map(({ region, keyArn }) => {
    return { region, keyArn, client: new KMS({ ...kms.clientConfig(region), maxAttempts: 1 }) };
  });
  const options = { keyring: multiRegionKeyring({ ...PATIENT, regions, minimum: 1 }), encryptionContext: { id: "42" } };
  const { sealed }: DirectEncryptResult = await encryptDirect(Buffer.from("short"), options);
  const opened: Uint8Array = await decryptDirect(sealed, options);
  assert.equal(Buffer.from(opened).toString(), "short");
  DIRECT_LIMIT_BYTES satisfies number;
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(result: DirectEncryptResult): void {
  // @ts-expect-error a forgotten keyring
  void encryptDirect(Buffer.from("short"), { encryptionContext: {} });
  // @ts-expect-error bytes are not a number
  result.sealed satisfies number;
}
