import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, runningKms } from "../running-kms.ts";

test("description, tags, policy, rotation status, aliases and last use: the sequence that Terraform reads after a create", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId, Arn } = (await kms.createKey({ Description: "one", Tags: [{ TagKey: "team", TagValue: "a" }] }))
    .KeyMetadata!;
  assert.equal((await kms.describeKey({ KeyId })).KeyMetadata!.Description, "one");
  const { Policy, PolicyName } = await kms.getKeyPolicy({ KeyId, PolicyName: "default" });
  assert.equal(PolicyName, "default");
  assert.equal((JSON.parse(Policy!) as { Statement: { Action: string }[] }).Statement[0]!.Action, "kms:*");
  assert.equal((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled, false);
  assert.deepEqual((await kms.listResourceTags({ KeyId })).Tags, [{ TagKey: "team", TagValue: "a" }]);
  assert.deepEqual((await kms.listAliases({ KeyId })).Aliases, []);
  assert.deepEqual((await kms.listKeyPolicies({ KeyId })).PolicyNames, ["default"]);
  await kms.updateKeyDescription({ KeyId, Description: "two" });
  await kms.putKeyPolicy({ KeyId, PolicyName: "default", Policy: Policy! });
  assert.equal((await kms.describeKey({ KeyId })).KeyMetadata!.Description, "two");
  const unused = await kms.getKeyLastUsage({ KeyId });
  assert.deepEqual([unused.KeyId, unused.KeyLastUsage], [Arn, undefined]);
  const { $metadata } = await kms.generateDataKey({ KeyId, KeySpec: "AES_256" });
  const used = (await kms.getKeyLastUsage({ KeyId })).KeyLastUsage!;
  assert.deepEqual([used.Operation, used.KmsRequestId], ["GenerateDataKey", $metadata.requestId]);
  assert.equal((await failure(kms.getKeyPolicy({ KeyId, PolicyName: "other" }))).message, "No such policy exists");
});

test("rotation of keys that do not rotate", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = (await kms.createKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" })).KeyMetadata!;
  assert.equal((await failure(kms.enableKeyRotation({ KeyId }))).name, "UnsupportedOperationException");
  assert.equal((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled, false);
});

test("a disabled key does not rotate, and catches up when it is enabled again", async (t) => {
  const running = await runningKms(t);
  const { KeyId, CurrentKeyMaterialId } = (await running.client().createKey({})).KeyMetadata!;
  await running.client().enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
  await running.client().disableKey({ KeyId });
  running.clock.advance(200 * 86_400_000);
  const kms = running.client();
  assert.equal((await kms.listKeyRotations({ KeyId })).Rotations!.length, 0);
  await kms.enableKey({ KeyId });
  assert.notEqual((await kms.describeKey({ KeyId })).KeyMetadata!.CurrentKeyMaterialId, CurrentKeyMaterialId);
  assert.equal((await kms.listKeyRotations({ KeyId })).Rotations!.length, 2);
});

test("custom key stores: what AWS answers an account without any", async (t) => {
  const kms = (await runningKms(t)).client();
  assert.deepEqual((await kms.describeCustomKeyStores({})).CustomKeyStores, []);
  const CustomKeyStoreId = "cks-1234567890abcdef0";
  const calls = [
    kms.connectCustomKeyStore({ CustomKeyStoreId }),
    kms.disconnectCustomKeyStore({ CustomKeyStoreId }),
    kms.deleteCustomKeyStore({ CustomKeyStoreId }),
    kms.updateCustomKeyStore({ CustomKeyStoreId }),
    kms.describeCustomKeyStores({ CustomKeyStoreId }),
    kms.createKey({ Origin: "AWS_CLOUDHSM", CustomKeyStoreId }),
    kms.generateRandom({ NumberOfBytes: 1, CustomKeyStoreId }),
  ];
  for (const call of calls) assert.equal((await failure(call)).name, "CustomKeyStoreNotFoundException");
  assert.equal(
    (await failure(kms.createCustomKeyStore({ CustomKeyStoreName: "x", CloudHsmClusterId: "cluster-abcdefghijk" })))
      .name,
    "CloudHsmClusterNotFoundException",
  );
});

test("SM2, enclaves and other things that exist elsewhere only are refused, not pretended", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = (await kms.createKey({})).KeyMetadata!;
  const Recipient = { KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256", AttestationDocument: Buffer.from("x") } as const;
  const calls = [
    kms.createKey({ KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" }),
    kms.generateDataKeyPair({ KeyId: KeyId!, KeyPairSpec: "SM2" }),
    kms.generateDataKey({ KeyId: KeyId!, KeySpec: "AES_256", Recipient }),
    kms.generateRandom({ NumberOfBytes: 8, Recipient }),
  ];
  for (const call of calls) assert.equal((await failure(call)).name, "UnsupportedOperationException");
});

test("a dry run that ignores the ciphertext asks for the permission on the named key", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = (await kms.createKey({})).KeyMetadata!;
  const dry = { DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT" as const] };
  assert.equal((await failure(kms.decrypt({ KeyId, ...dry }))).name, "DryRunOperationException");
  assert.equal(
    (await failure(kms.reEncrypt({ SourceKeyId: KeyId, DestinationKeyId: KeyId, ...dry }))).name,
    "DryRunOperationException",
  );
  assert.equal((await failure(kms.decrypt(dry))).name, "ValidationException");
  assert.equal(
    (await failure(kms.decrypt({ KeyId }))).message,
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
  );
});

test("a key's last use outlives a restart", async (t) => {
  const first = await runningKms(t);
  const { KeyId } = (await first.client().createKey({})).KeyMetadata!;
  for (let i = 0; i < 3; i++) await first.client().generateDataKey({ KeyId: KeyId!, KeySpec: "AES_256" });
  const { KeyLastUsage } = await first.client().getKeyLastUsage({ KeyId });
  await first.kms.close();
  const second = await runningKms(t, { dataDir: first.dataDir });
  assert.deepEqual((await second.client().getKeyLastUsage({ KeyId })).KeyLastUsage, KeyLastUsage);
});
