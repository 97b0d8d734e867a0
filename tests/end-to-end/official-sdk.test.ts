// A stored message is an AWS Encryption SDK message: the official JavaScript SDK reads it against the running KMS, and
// what it writes is read here.
import { KMS as AwsKms } from "@aws-sdk/client-kms";
import { buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";
import { decrypt } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Installation, REGIONS } from "./installation.ts";

test("a stored message is read by the official SDK, and one it writes is read here", async () => {
  // A message in record scope is one that any implementation opens by the KMS keys alone.
  await using installation = await Installation.start({ settings: { STRONGROOM_SCOPE: "record" } });
  const clientOf = (region: string): AwsKms =>
    new AwsKms({
      region,
      endpoint: installation.kmsEndpoints[region as (typeof REGIONS)[number]],
      credentials: installation.credentials,
      maxAttempts: 1,
    });
  const arns = installation.keyArns;
  const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const sdkKeyring = new KmsKeyringNode({
    generatorKeyId: arns[REGIONS[0]],
    keyIds: REGIONS.slice(1).map((region) => arns[region]),
    // The SDK's own type names the client of version 2; any client with these calls works.
    clientProvider: ((region: string) => clientOf(region)) as never,
  });

  const document = { name: "Ada Lovelace", note: "ünïcödé ✓" };
  assert.equal((await installation.request("PUT", "/v1/records/people/ada", document)).status, 201);
  const database = new DatabaseSync(join(installation.dataDir, "records.sqlite"), { readOnly: true });
  const row = database.prepare("select message from versions join records using (record) where id = 'ada'").get();
  database.close();
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK types its keyrings as classes of another of its packages
  const read = await sdk.decrypt(sdkKeyring, Buffer.from(row?.["message"] as Uint8Array));
  assert.deepEqual(JSON.parse(read.plaintext.toString("utf8")), document);
  assert.equal(read.messageHeader.encryptionContext["strongroom:id"], "ada");

  const context = { purpose: "interop" };
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as above
  const written = await sdk.encrypt(sdkKeyring, Buffer.from("written by the official SDK"), {
    encryptionContext: context,
  });
  const keyring = multiRegionKeyring({
    regions: REGIONS.map((region) => ({ region, keyArn: arns[region], client: clientOf(region) })),
    minimum: 2,
  });
  // The SDK's default suite is signed; its public key is a reserved entry of the context that the SDK adds by itself.
  const opened = await decrypt(written.result, { keyring, encryptionContext: context });
  assert.equal(Buffer.from(opened.plaintext).toString("utf8"), "written by the official SDK");
});
