import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { ACCOUNT, REGION, failure, runningKms, temporaryDirectory } from "../running-kms.ts";

const arn = (kind: "user" | "role", name: string): string => `arn:aws:iam::${ACCOUNT}:${kind}/${name}`;
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const OWNER = { Sid: "owner", Effect: "Allow", Principal: { AWS: ROOT }, Action: "kms:*", Resource: "*" };

/** A KMS with the users alice (no policy of her own) and bob (who may everything that the account may). */
async function withUsers(t: TestContext): Promise<{ root: KMS; alice: KMS; bob: KMS }> {
  const principalsFile = join(await temporaryDirectory(t), "principals.json");
  const user = (name: string, policies: object[]): object => ({
    arn: arn("user", name),
    policies,
    accessKeys: [
      { accessKeyId: `AKIA${name.toUpperCase().padEnd(16, "0")}`, secretAccessKey: `secret-of-${name}-000` },
    ],
  });
  const everything = { Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] };
  writeFileSync(principalsFile, JSON.stringify({ principals: [user("alice", []), user("bob", [everything])] }), {
    mode: 0o600,
  });
  const { client } = await runningKms(t, { principalsFile });
  const as = (name: string): KMS =>
    client(REGION, {
      credentials: {
        accessKeyId: `AKIA${name.toUpperCase().padEnd(16, "0")}`,
        secretAccessKey: `secret-of-${name}-000`,
      },
    });
  return { root: client(), alice: as("alice"), bob: as("bob") };
}

const keyWith = async (root: KMS, ...statements: object[]): Promise<string> =>
  (await root.createKey({ Policy: JSON.stringify({ Version: "2012-10-17", Statement: [OWNER, ...statements] }) }))
    .KeyMetadata!.KeyId!;

const denied = async (call: Promise<unknown>): Promise<string> => {
  const { name, message, status } = await failure(call);
  assert.deepEqual([name, status], ["AccessDeniedException", 400]);
  return message;
};
const x = Buffer.from("x");

test("by default nothing is allowed; a key policy that allows the account hands over to identity policies", async (t) => {
  const { root, alice, bob } = await withUsers(t);
  const KeyId = await keyWith(root);
  assert.match(
    await denied(alice.encrypt({ KeyId, Plaintext: x })),
    /^User: arn:aws:iam::\d+:user\/alice is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:.*because no identity-based policy/,
  );
  await bob.encrypt({ KeyId, Plaintext: x });
  for (const call of [alice.createKey({}), alice.listKeys({}), alice.generateRandom({ NumberOfBytes: 1 })])
    await denied(call);
  await bob.createKey({});
});

test("a key policy that names a principal needs nothing else, and one that names nobody shuts the account out", async (t) => {
  const { root, alice, bob } = await withUsers(t);
  const KeyId = await keyWith(root, {
    Effect: "Allow",
    Principal: { AWS: arn("user", "alice") },
    Action: ["kms:Encrypt", "kms:Generate*"],
    Resource: "*",
  });
  await alice.encrypt({ KeyId, Plaintext: x });
  await alice.generateDataKey({ KeyId, KeySpec: "AES_256" });
  await denied(alice.describeKey({ KeyId }));
  const Policy = JSON.stringify({
    Statement: [{ Effect: "Allow", Principal: { AWS: arn("user", "alice") }, Action: "kms:*", Resource: "*" }],
  });
  const refused = await failure(root.putKeyPolicy({ KeyId, Policy }));
  assert.deepEqual(
    [refused.name, refused.message],
    [
      "MalformedPolicyDocumentException",
      "The new key policy will not allow you to update the key policy in the future.",
    ],
  );
  await root.putKeyPolicy({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true });
  await alice.describeKey({ KeyId });
  await denied(bob.describeKey({ KeyId }));
  await denied(root.describeKey({ KeyId }));
});

test("an explicit deny wins over every allow", async (t) => {
  const { root, bob } = await withUsers(t);
  const KeyId = await keyWith(root, { Effect: "Deny", Principal: "*", Action: "kms:Decrypt", Resource: "*" });
  const { CiphertextBlob } = await bob.encrypt({ KeyId, Plaintext: x });
  for (const kms of [bob, root])
    assert.match(
      await denied(kms.decrypt({ CiphertextBlob: CiphertextBlob! })),
      /with an explicit deny in a resource-based policy/,
    );
});

test("conditions on the encryption context are enforced", async (t) => {
  const { root, alice } = await withUsers(t);
  const KeyId = await keyWith(root, {
    Effect: "Allow",
    Principal: { AWS: arn("user", "alice") },
    Action: ["kms:Encrypt", "kms:Decrypt"],
    Resource: "*",
    Condition: {
      StringEquals: { "kms:EncryptionContext:department": ["billing", "audit"] },
      "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["department", "record"] },
    },
  });
  await alice.encrypt({ KeyId, Plaintext: x, EncryptionContext: { department: "billing" } });
  await alice.encrypt({ KeyId, Plaintext: x, EncryptionContext: { department: "audit", record: "1" } });
  for (const EncryptionContext of [
    undefined,
    { department: "sales" },
    { department: "billing", more: "1" },
    { Department: "billing" },
  ]) {
    await denied(alice.encrypt({ KeyId, Plaintext: x, ...(EncryptionContext && { EncryptionContext }) }));
  }
});

test("conditions on the call, the key, the caller and the absence of a service", async (t) => {
  const { root, alice } = await withUsers(t);
  const allow = (Action: string, Condition: object): object => ({
    Effect: "Allow",
    Principal: { AWS: arn("user", "alice") },
    Action,
    Resource: "*",
    Condition,
  });
  const KeyId = await keyWith(
    root,
    allow("kms:CreateGrant", { "ForAllValues:StringEquals": { "kms:GrantOperations": ["Decrypt", "DescribeKey"] } }),
    allow("kms:Encrypt", { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } }),
    allow("kms:GenerateDataKey", {
      Null: { "kms:ViaService": "true" },
      ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:user/a*" },
    }),
    allow("kms:DescribeKey", {
      Bool: { "kms:MultiRegion": "false" },
      StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "aws:ResourceTag/team": "a" },
    }),
    allow("kms:ScheduleKeyDeletion", {
      NumericGreaterThanEquals: { "kms:ScheduleKeyDeletionPendingWindowInDays": 20 },
    }),
    allow("kms:ListGrants", { StringLike: { "kms:RequestAlias": "alias/*" } }),
    allow("kms:GetKeyPolicy", { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }),
  );
  const grant = { KeyId, GranteePrincipal: arn("user", "bob") };
  await alice.createGrant({ ...grant, Operations: ["Decrypt"] });
  await denied(alice.createGrant({ ...grant, Operations: ["Decrypt", "Encrypt"] }));
  await denied(alice.encrypt({ KeyId, Plaintext: x }));
  await alice.generateDataKey({ KeyId, KeySpec: "AES_128" });
  await denied(alice.describeKey({ KeyId }));
  await root.tagResource({ KeyId, Tags: [{ TagKey: "team", TagValue: "a" }] });
  await alice.describeKey({ KeyId });
  await alice.getKeyPolicy({ KeyId });
  await denied(alice.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 }));
  await alice.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 20 });
});

test("a grant gives its operations under its constraints, to its grantee, until it is revoked", async (t) => {
  const { root, alice } = await withUsers(t);
  const KeyId = await keyWith(root);
  const context = { department: "billing", record: "1" };
  const { CiphertextBlob } = await root.encrypt({ KeyId, Plaintext: x, EncryptionContext: context });
  const read = (EncryptionContext: Record<string, string>): Promise<unknown> =>
    alice.decrypt({ CiphertextBlob: CiphertextBlob!, EncryptionContext });
  await denied(read(context));
  const grantee = { KeyId, GranteePrincipal: arn("user", "alice") };
  const subset = await root.createGrant({
    ...grantee,
    Operations: ["Decrypt"],
    Constraints: { EncryptionContextSubset: { department: "billing" } },
  });
  await read(context);
  await denied(alice.encrypt({ KeyId, Plaintext: x, EncryptionContext: context }));
  await denied(read({ department: "sales", record: "1" }));
  await root.revokeGrant({ KeyId, GrantId: subset.GrantId! });
  await denied(read(context));
  await root.createGrant({
    ...grantee,
    Operations: ["Decrypt"],
    Constraints: { EncryptionContextEquals: { department: "billing" } },
  });
  await denied(read(context));
});

test("who may make grants by a grant passes on no more than it has, and retiring is for those it is meant for", async (t) => {
  const { root, alice, bob } = await withUsers(t);
  const KeyId = await keyWith(root, {
    Effect: "Deny",
    Principal: { AWS: arn("user", "bob") },
    Action: "kms:RetireGrant",
    Resource: "*",
  });
  await root.createGrant({ KeyId, GranteePrincipal: arn("user", "alice"), Operations: ["CreateGrant", "Encrypt"] });
  await alice.createGrant({ KeyId, GranteePrincipal: arn("user", "bob"), Operations: ["Encrypt"] });
  await denied(alice.createGrant({ KeyId, GranteePrincipal: arn("user", "bob"), Operations: ["Decrypt"] }));
  const retirable = await root.createGrant({
    KeyId,
    GranteePrincipal: arn("user", "bob"),
    RetiringPrincipal: arn("user", "alice"),
    Operations: ["Encrypt"],
  });
  await denied(bob.retireGrant({ GrantToken: retirable.GrantToken! }));
  await alice.retireGrant({ GrantToken: retirable.GrantToken! });
});
