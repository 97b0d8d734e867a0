import assert from "node:assert/strict";
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt } from "@strongroom/envelope";
import type { KeyRegion, MultiRegionKeyring, RegionHealth } from "@strongroom/envelope/aws-kms";
import { MULTI_REGION_DEFAULTS, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { PATIENT, twoRegions } from "./support/kms.ts";

export async function use(): Promise<void> {
  const { kms, keys } = await twoRegions();
  const regions = keys.map(({ region, keyArn }): KeyRegion => {
    return { region, keyArn, client: new KMS({ ...kms.clientConfig(region), maxAttempts: 1 }) };
  });
  const keyring: MultiRegionKeyring = multiRegionKeyring({ ...PATIENT, regions, minimum: 2 });
  const { message, wraps } = await encrypt(Buffer.from("two regions"), { keyring, encryptionContext: { id: "42" } });
  const stored: number | undefined = wraps?.stored.length;
  assert.equal(stored, 2);
  await kms.stopRegion("eu-west-1");
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: { id: "42" } });
  assert.equal(Buffer.from(plaintext).toString(), "two regions");
  const health: readonly RegionHealth[] = keyring.health();
  assert.equal(health.length, 2);
  MULTI_REGION_DEFAULTS satisfies object;
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(keyring: MultiRegionKeyring, client: KMS): void {
  // @ts-expect-error a forgotten minimum
  multiRegionKeyring({ regions: [{ region: "eu-west-1", keyArn: "arn", client }] });
  // @ts-expect-error what is no client of a KMS
  multiRegionKeyring({ regions: [{ region: "eu-west-1", keyArn: "arn", client: {} }], minimum: 1 });
  // @ts-expect-error health is a list
  keyring.health() satisfies number;
}
