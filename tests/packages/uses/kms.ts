import assert from "node:assert/strict";
import * as nodeCrypto from "node:crypto";
import { KMS, KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import {
  AdjustableClock,
  createKms,
  type Kms,
  KMS_ERRORS,
  KmsError,
  type KmsErrorCode,
  type KmsOptions,
} from "@strongroom/kms";

export async function use(): Promise<void> {
  const options: KmsOptions = {
    clock: new AdjustableClock(),
    seed: { keys: [{ id: "11111111-2222-4333-8444-555555555555", aliases: ["alias/orders"] }] },
  };
  const kms: Kms = await createKms(options);
  const client = new KMS(kms.clientConfig());
  const { CiphertextBlob } = await client.encrypt({ KeyId: "alias/orders", Plaintext: Buffer.from("two books") });
  const { Plaintext = new Uint8Array() } = await client.decrypt({ CiphertextBlob });
  assert.equal(Buffer.from(Plaintext).toString(), "two books");
  const { Keys = [] } = await new KMSClient(kms.clientConfig()).send(new ListKeysCommand({}));
  assert.equal(Keys.length, 1);
  const postQuantum: unknown = await client.createKey({ KeySpec: "ML_DSA_44", KeyUsage: "SIGN_VERIFY" }).then(
    ({ KeyMetadata }) => KeyMetadata?.KeySpec,
    (error: unknown) => (error as Error).name,
  );
  // A Node without these algorithms runs all the rest.
  assert.equal(postQuantum, "encapsulate" in nodeCrypto ? "ML_DSA_44" : "UnsupportedOperationException");
  try {
    kms.clientConfig("eu-nowhere-1");
    assert.fail("there is no such region");
  } catch (error) {
    assert.ok(error instanceof KmsError);
    const code: KmsErrorCode = error.code;
    assert.equal(KMS_ERRORS[code].title, KMS_ERRORS["region-unknown"].title);
  }
  await kms.close();
}

/** What the compiler is to refuse. */
export function misuse(kms: Kms): void {
  // @ts-expect-error a region has a port
  void createKms({ regions: [{ name: "eu-west-1" }] });
  // @ts-expect-error there is no such code
  "no-such-code" satisfies KmsErrorCode;
  // @ts-expect-error endpoints are text
  kms.endpoints["eu-west-1"] satisfies number;
}
