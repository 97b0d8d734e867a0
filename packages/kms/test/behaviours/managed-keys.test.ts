import assert from "node:assert/strict";
import { ACCOUNT } from "../running-kms.ts";
import { base64, behaviour } from "./behaviour.ts";
import type { Members } from "./behaviour.ts";

const root = `arn:aws:iam::${ACCOUNT}:root`;

/** What nobody may do with an AWS managed key, the account's root included. */
const FORBIDDEN: Readonly<Record<string, object>> = {
  CancelKeyDeletion: {},
  CreateGrant: { GranteePrincipal: root, Operations: ["Decrypt"] },
  DisableKey: {},
  DisableKeyRotation: {},
  EnableKey: {},
  EnableKeyRotation: { RotationPeriodInDays: 90 },
  Encrypt: { Plaintext: base64("x") },
  GenerateDataKey: { KeySpec: "AES_256" },
  PutKeyPolicy: { Policy: JSON.stringify({ Statement: [] }), BypassPolicyLockoutSafetyCheck: true },
  ReplicateKey: { ReplicaRegion: "eu-west-2" },
  RotateKeyOnDemand: {},
  ScheduleKeyDeletion: {},
  TagResource: { Tags: [{ TagKey: "a", TagValue: "b" }] },
  UntagResource: { TagKeys: ["a"] },
  UpdateKeyDescription: { Description: "mine" },
  UpdatePrimaryRegion: { PrimaryRegion: "eu-west-2" },
};

behaviour(
  47,
  "alias/aws/* are listed; DescribeKey of one makes the AWS managed key, which can be looked at and no more",
  ["ListAliases", "DescribeKey", "CreateAlias", "UpdateAlias", "DeleteAlias", "ScheduleKeyDeletion", "PutKeyPolicy"],
  async (b) => {
    const listed = async (body = {}): Promise<Record<string, unknown>[]> =>
      (await b.ok("ListAliases", body))["Aliases"] as Record<string, unknown>[];
    const before = await listed();
    const names = before.map(({ AliasName }) => AliasName as string);
    for (const name of ["alias/aws/ebs", "alias/aws/s3", "alias/aws/rds", "alias/aws/secretsmanager"])
      assert.ok(names.includes(name), name);
    assert.deepEqual(Object.keys(before[0]!), ["AliasName", "AliasArn"]);

    assert.equal(
      (await b.refused("Encrypt", { KeyId: "alias/aws/s3", Plaintext: base64("x") }))[0],
      "NotFoundException",
    );
    assert.equal((await b.refused("DescribeKey", { KeyId: "alias/aws/none" }))[0], "NotFoundException");
    const AliasArn = before.find(({ AliasName }) => AliasName === "alias/aws/s3")!["AliasArn"];
    const answers = await Promise.all(
      ["alias/aws/s3", AliasArn, "alias/aws/s3"].map((KeyId) => b.ok("DescribeKey", { KeyId })),
    );
    const [{ KeyMetadata: key }, ...others] = answers as [Members, ...Members[]];
    for (const { KeyMetadata } of others) assert.deepEqual(KeyMetadata, key);
    assert.deepEqual([key.KeyManager, key.KeyState, key.Origin], ["AWS", "Enabled", "AWS_KMS"]);
    const { KeyId } = key;
    assert.deepEqual(
      (await listed({ KeyId })).map((one) => [one["AliasName"], one["TargetKeyId"]]),
      [["alias/aws/s3", KeyId]],
    );
    assert.equal((await listed()).length, before.length);
    assert.equal((await b.ok("GetKeyRotationStatus", { KeyId }))["KeyRotationEnabled"], true);
    for (const operation of ["GetKeyPolicy", "ListGrants", "ListKeyPolicies", "ListResourceTags", "ListKeyRotations"])
      await b.ok(operation, { KeyId });

    for (const [operation, body] of Object.entries(FORBIDDEN))
      assert.equal((await b.refused(operation, { KeyId, ...body }))[0], "AccessDeniedException", operation);
    const mine = await b.key();
    await b.ok("CreateAlias", { AliasName: "alias/mine", TargetKeyId: mine["KeyId"] });
    for (const [operation, AliasName, TargetKeyId, type] of [
      ["CreateAlias", "alias/other", KeyId, "AccessDeniedException"],
      ["UpdateAlias", "alias/mine", KeyId, "AccessDeniedException"],
      ["UpdateAlias", "alias/aws/s3", mine["KeyId"], "NotAuthorizedException"],
      ["CreateAlias", "alias/aws/new", mine["KeyId"], "NotAuthorizedException"],
      ["DeleteAlias", "alias/aws/s3", undefined, "NotAuthorizedException"],
    ] as const)
      assert.equal((await b.refused(operation, { AliasName, TargetKeyId }))[0], type, `${operation} ${AliasName}`);
  },
);
