import assert from "node:assert/strict";
import { base64, behaviour } from "./behaviour.ts";
import type { Members } from "./behaviour.ts";

behaviour(
  38,
  "A replica has the same mrk- id; the answer shows it Creating and not enabled; a replica is not replicated",
  ["CreateKey", "ReplicateKey", "UpdatePrimaryRegion", "Decrypt"],
  async (b) => {
    const primary = await b.key({ MultiRegion: true, Description: "of the primary" });
    assert.match(primary["KeyId"], /^mrk-[0-9a-f]{32}$/);
    assert.deepEqual(primary["MultiRegionConfiguration"], {
      MultiRegionKeyType: "PRIMARY",
      PrimaryKey: { Arn: primary["Arn"], Region: "eu-west-1" },
      ReplicaKeys: [],
    });
    const KeyId = primary["KeyId"];
    const { ReplicaKeyMetadata: made } = await b.ok("ReplicateKey", { KeyId, ReplicaRegion: "eu-central-1" });
    assert.deepEqual([made.KeyId, made.KeyState, made.Enabled, made.Description], [KeyId, "Creating", false, ""]);
    assert.deepEqual(made.MultiRegionConfiguration, {
      MultiRegionKeyType: "REPLICA",
      PrimaryKey: { Arn: primary["Arn"], Region: "eu-west-1" },
      ReplicaKeys: [{ Arn: made.Arn, Region: "eu-central-1" }],
    });
    const { KeyMetadata: replica } = await b.ok("DescribeKey", { KeyId }, "eu-central-1");
    assert.deepEqual([replica.KeyState, replica.CurrentKeyMaterialId], ["Enabled", primary["CurrentKeyMaterialId"]]);
    assert.deepEqual(await b.refused("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-2" }, "eu-central-1"), [
      "UnsupportedOperationException",
      `${made.Arn} is not a multi-region primary key.`,
    ]);

    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("there and back") });
    assert.equal((await b.ok("Decrypt", { CiphertextBlob }, "eu-central-1"))["Plaintext"], base64("there and back"));
    await b.ok("RotateKeyOnDemand", { KeyId });
    const { CiphertextBlob: rotated } = await b.ok("Encrypt", { KeyId, Plaintext: base64("rotated") });
    assert.equal(
      (await b.ok("Decrypt", { CiphertextBlob: rotated }, "eu-central-1"))["Plaintext"],
      base64("rotated"),
      "replicas rotate with their primary",
    );

    await b.ok("UpdatePrimaryRegion", { KeyId, PrimaryRegion: "eu-central-1" });
    assert.equal(
      (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].MultiRegionConfiguration.MultiRegionKeyType,
      "REPLICA",
    );
    assert.equal(
      (await b.ok("DescribeKey", { KeyId }, "eu-central-1"))["KeyMetadata"].MultiRegionConfiguration.MultiRegionKeyType,
      "PRIMARY",
    );
    const pending = await b.ok("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }, "eu-central-1");
    assert.equal(pending["KeyState"], "PendingReplicaDeletion");
    await b.ok("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    b.clock.advance(8 * 86_400_000);
    assert.equal(
      (await b.ok("DescribeKey", { KeyId }, "eu-central-1"))["KeyMetadata"].KeyState,
      "PendingDeletion",
      "its window runs once the last replica is gone",
    );
    b.clock.advance(8 * 86_400_000);
    assert.equal((await b.refused("DescribeKey", { KeyId }, "eu-central-1"))[0], "NotFoundException");
  },
);

behaviour(
  39,
  "The same grant name on two keys makes two grants; on one key it is the same grant",
  ["CreateGrant", "ListGrants", "ListRetirableGrants", "RetireGrant", "RevokeGrant"],
  async (b) => {
    const [one, two] = [await b.key(), await b.key()];
    const grant = {
      GranteePrincipal: "arn:aws:iam::000000000000:user/reader",
      RetiringPrincipal: "arn:aws:iam::000000000000:root",
      Operations: ["Decrypt"],
      Name: "nightly",
      Constraints: { EncryptionContextSubset: { department: "billing" } },
    };
    const first = await b.ok("CreateGrant", { KeyId: one["KeyId"], ...grant });
    const other = await b.ok("CreateGrant", { KeyId: two["KeyId"], ...grant });
    assert.notEqual(first["GrantId"], other["GrantId"]);
    assert.equal((await b.ok("CreateGrant", { KeyId: one["KeyId"], ...grant }))["GrantId"], first["GrantId"]);
    const { Grants } = await b.ok("ListGrants", { KeyId: one["KeyId"] });
    assert.equal(Grants.length, 1);
    assert.equal(Grants[0].KeyId, one["Arn"]);
    assert.deepEqual(Grants[0].Constraints, grant.Constraints);
    assert.equal(JSON.stringify(Grants).includes(first["GrantToken"]), false);
    assert.equal(
      (await b.ok("ListRetirableGrants", { RetiringPrincipal: grant.RetiringPrincipal }))["Grants"].length,
      2,
    );
    await b.ok("RetireGrant", { GrantToken: first["GrantToken"] });
    await b.ok("RevokeGrant", { KeyId: two["KeyId"], GrantId: other["GrantId"] });
    assert.deepEqual((await b.ok("ListRetirableGrants", { RetiringPrincipal: grant.RetiringPrincipal }))["Grants"], []);
    assert.equal(
      (await b.refused("RetireGrant", { GrantToken: first["GrantToken"] }))[0],
      "InvalidGrantTokenException",
    );
  },
);

behaviour(
  40,
  "DryRun throws DryRunOperationException and changes nothing; tags: no duplicates, no more than 50, no aws: prefix",
  ["Encrypt", "CreateGrant", "TagResource", "UntagResource", "ListResourceTags", "CreateKey"],
  async (b) => {
    const { KeyId } = await b.key();
    const dry = ["DryRunOperationException", "The request would have succeeded, but the DryRun option is set."];
    const { CiphertextBlob } = await b.ok("Encrypt", { KeyId, Plaintext: base64("x") });
    const grant = { KeyId, GranteePrincipal: "arn:aws:iam::000000000000:user/reader", Operations: ["Decrypt"] };
    const { GrantId } = await b.ok("CreateGrant", grant);
    const symmetric: [string, object][] = [
      ["Encrypt", { KeyId, Plaintext: base64("x") }],
      ["Decrypt", { CiphertextBlob }],
      ["ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId }],
      ["GenerateDataKey", { KeyId, KeySpec: "AES_256" }],
      ["GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" }],
      ["GenerateDataKeyPair", { KeyId, KeyPairSpec: "ECC_NIST_P256" }],
      ["GenerateDataKeyPairWithoutPlaintext", { KeyId, KeyPairSpec: "ECC_NIST_P256" }],
      ["CreateGrant", { ...grant, Name: "second" }],
      ["RevokeGrant", { KeyId, GrantId }],
      ["RetireGrant", { KeyId, GrantId }],
    ];
    for (const [operation, body] of symmetric)
      assert.deepEqual(await b.refused(operation, { ...body, DryRun: true }), dry, operation);
    assert.equal((await b.ok("ListGrants", { KeyId }))["Grants"].length, 1);

    const tags = (count: number): Members[] =>
      Array.from({ length: count }, (_, i) => ({ TagKey: `k${i}`, TagValue: "v" }));
    assert.deepEqual(await b.refused("CreateKey", { Tags: [...tags(1), ...tags(1)] }), [
      "TagException",
      "Duplicate tag keys",
    ]);
    assert.deepEqual(await b.refused("CreateKey", { Tags: tags(51) }), ["TagException", "Too many tags"]);
    for (const TagKey of ["aws:x", "AWS:x", "aWs:"])
      assert.deepEqual(await b.refused("TagResource", { KeyId, Tags: [{ TagKey, TagValue: "" }] }), [
        "TagException",
        "Tags beginning with aws: are reserved",
      ]);
    await b.ok("TagResource", { KeyId, Tags: tags(3) });
    await b.ok("TagResource", { KeyId, Tags: [{ TagKey: "k1", TagValue: "changed" }] });
    await b.ok("UntagResource", { KeyId, TagKeys: ["k0", "absent"] });
    assert.deepEqual(await b.ok("ListResourceTags", { KeyId }), {
      Tags: [
        { TagKey: "k1", TagValue: "changed" },
        { TagKey: "k2", TagValue: "v" },
      ],
      Truncated: false,
    });
  },
);
