import assert from "node:assert/strict";
import { test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";

test("an order is sealed", async () => {
  await using kms = await createKms({
    seed: { keys: [{ id: "11111111-2222-4333-8444-555555555555", aliases: ["alias/orders"] }] },
  });
  const client = new KMS(kms.clientConfig());
  const { CiphertextBlob } = await client.encrypt({ KeyId: "alias/orders", Plaintext: Buffer.from("two books") });
  const { Plaintext } = await client.decrypt({ CiphertextBlob });
  assert.equal(Buffer.from(Plaintext!).toString(), "two books");
});
