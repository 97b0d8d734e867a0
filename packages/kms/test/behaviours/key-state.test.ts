import assert from "node:assert/strict";
import { base64, behaviour } from "./behaviour.ts";

const DAY = 86_400;

behaviour(
  9,
  "A disabled key: DisabledException <arn> is disabled.",
  ["DisableKey", "EnableKey", "Encrypt", "Decrypt"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("x") });
    await b.ok("DisableKey", { KeyId });
    assert.deepEqual(await b.refused("Encrypt", { KeyId, Plaintext: base64("x") }), [
      "DisabledException",
      `${Arn} is disabled.`,
    ]);
    assert.deepEqual(await b.refused("Decrypt", { CiphertextBlob }), ["DisabledException", `${Arn} is disabled.`]);
    assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].Enabled, false);
    await b.ok("EnableKey", { KeyId });
    assert.equal((await b.ok("Decrypt", { CiphertextBlob }))["Plaintext"], base64("x"));
  },
);

behaviour(
  10,
  "A key pending deletion: KMSInvalidStateException for use and for a second ScheduleKeyDeletion",
  ["ScheduleKeyDeletion", "Encrypt", "EnableKey", "CreateAlias"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    await b.ok("ScheduleKeyDeletion", { KeyId });
    const refusal = ["KMSInvalidStateException", `${Arn} is pending deletion.`];
    assert.deepEqual(await b.refused("Encrypt", { KeyId, Plaintext: base64("x") }), refusal);
    assert.deepEqual(await b.refused("ScheduleKeyDeletion", { KeyId }), refusal);
    assert.deepEqual(await b.refused("EnableKey", { KeyId }), refusal);
    assert.deepEqual(await b.refused("CreateAlias", { AliasName: "alias/late", TargetKeyId: KeyId }), refusal);
  },
);

behaviour(
  11,
  "CancelKeyDeletion leaves the key Disabled and removes DeletionDate",
  ["CancelKeyDeletion"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    assert.deepEqual(await b.refused("CancelKeyDeletion", { KeyId }), [
      "KMSInvalidStateException",
      `${Arn} is not pending deletion.`,
    ]);
    await b.ok("ScheduleKeyDeletion", { KeyId });
    assert.ok((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].DeletionDate);
    assert.deepEqual(await b.ok("CancelKeyDeletion", { KeyId }), { KeyId: Arn });
    const { KeyMetadata } = await b.ok("DescribeKey", { KeyId });
    assert.equal(KeyMetadata.KeyState, "Disabled");
    assert.equal("DeletionDate" in KeyMetadata, false);
  },
);

behaviour(
  12,
  "ScheduleKeyDeletion answers the key ARN; the window is 7 to 30 days, 30 by default",
  ["ScheduleKeyDeletion"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    for (const PendingWindowInDays of [6, 31])
      assert.equal((await b.refused("ScheduleKeyDeletion", { KeyId, PendingWindowInDays }))[0], "ValidationException");
    const before = b.clock.now() / 1000;
    const answer = await b.ok("ScheduleKeyDeletion", { KeyId });
    assert.equal(answer["KeyId"], Arn);
    assert.equal(answer["KeyState"], "PendingDeletion");
    assert.equal(answer["PendingWindowInDays"], 30);
    assert.ok(answer["DeletionDate"] >= before + 30 * DAY && answer["DeletionDate"] <= b.clock.now() / 1000 + 30 * DAY);
  },
);

behaviour(
  13,
  "EXTERNAL keys start PendingImport and not enabled",
  ["CreateKey", "Encrypt", "DisableKey"],
  async (b) => {
    const { KeyId, Arn, KeyState, Enabled, Origin } = await b.key({ Origin: "EXTERNAL" });
    assert.deepEqual([KeyState, Enabled, Origin], ["PendingImport", false, "EXTERNAL"]);
    assert.deepEqual(await b.refused("Encrypt", { KeyId, Plaintext: base64("x") }), [
      "KMSInvalidStateException",
      `${Arn} is pending import.`,
    ]);
    assert.deepEqual(await b.refused("DisableKey", { KeyId }), [
      "KMSInvalidStateException",
      `${Arn} is pending import.`,
    ]);
  },
);

behaviour(
  14,
  "A disabled key's DisabledException beats UnsupportedOperationException",
  ["RotateKeyOnDemand", "EnableKeyRotation"],
  async (b) => {
    const { KeyId, Arn } = await b.key({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
    assert.deepEqual(await b.refused("RotateKeyOnDemand", { KeyId }), ["UnsupportedOperationException", undefined]);
    await b.ok("DisableKey", { KeyId });
    assert.deepEqual(await b.refused("RotateKeyOnDemand", { KeyId }), ["DisabledException", `${Arn} is disabled.`]);
    assert.deepEqual(await b.refused("EnableKeyRotation", { KeyId }), ["DisabledException", `${Arn} is disabled.`]);
  },
);
