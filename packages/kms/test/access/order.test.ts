// What is asked first: whoever may not do something learns nothing else, and nothing changes.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { bench } from "../behaviours/behaviour.ts";
import type { Bench, Members } from "../behaviours/behaviour.ts";
import { ACCOUNT, REGION, temporaryDirectory } from "../running-kms.ts";
import { signedCall } from "../signed-call.ts";

/** A bench with a principal beside the root; gives the type of the answer to a call as this principal. */
async function benchWith(
  t: TestContext,
  arn: string,
  policies: readonly object[] = [],
): Promise<Bench & { readonly asOther: (operation: string, body: object) => Promise<string> }> {
  const credentials = { accessKeyId: "AKIATRIAL0000001", secretAccessKey: "secret-of-the-other" };
  const principalsFile = join(await temporaryDirectory(t), "principals.json");
  const principals = [{ arn, policies, accessKeys: [credentials] }];
  writeFileSync(principalsFile, JSON.stringify({ principals }), { mode: 0o600 });
  const b = await bench(t, { principalsFile });
  const asOther = async (operation: string, body: object): Promise<string> => {
    const call = { endpoint: b.kms.endpoints[REGION]!, credentials, region: REGION, operation, body };
    const { status, json } = await signedCall({ ...call, signingDate: new Date(b.clock.now()) });
    return status === 200 ? "allowed" : (json["__type"] as string);
  };
  return { ...b, asOther };
}

/** The aliases, keys and grants that there are. */
const stateOf = async (b: Bench): Promise<Members[]> => Promise.all([b.ok("ListKeys", {}), b.ok("ListAliases", {})]);

test("who may not make a key, or have random bytes, is told so whatever else is wrong", async (t) => {
  const b = await benchWith(t, `arn:aws:iam::${ACCOUNT}:user/ann`);
  const before = await stateOf(b);
  const CustomKeyStoreId = "cks-1234567890abcdef0";
  for (const [operation, body] of [
    ["GenerateRandom", { NumberOfBytes: 3, CustomKeyStoreId }],
    ["GenerateRandom", { NumberOfBytes: 3, Recipient: {} }],
    ["CreateKey", { CustomKeyStoreId }],
    ["CreateKey", { CustomKeyStoreId, Origin: "AWS_CLOUDHSM" }],
    ["CreateKey", { Policy: "{" }],
    ["CreateCustomKeyStore", { CustomKeyStoreName: "a" }],
    ["DescribeCustomKeyStores", { CustomKeyStoreId }],
    ["DescribeKey", { KeyId: "alias/aws/s3" }],
    ["ListAliases", { KeyId: "12345678-1234-1234-1234-123456789012" }],
    ["ListKeys", { Marker: "x" }],
  ] as const)
    assert.equal(await b.asOther(operation, body), "AccessDeniedException", `${operation} ${JSON.stringify(body)}`);
  assert.deepEqual(await stateOf(b), before);
});

const EVERYTHING = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] };

test("principals of another account have nothing in this one but what a key's policy and their own both allow", async (t) => {
  for (const name of ["root", "user/ann", "role/app"]) {
    const arn = `arn:aws:iam::111122223333:${name}`;
    const b = await benchWith(t, arn, [EVERYTHING]);
    const before = await stateOf(b);
    const { KeyId, Arn } = await b.key();
    for (const [operation, body] of [
      ["CreateKey", { BypassPolicyLockoutSafetyCheck: true }],
      ["ListKeys", {}],
      ["ListAliases", {}],
      ["GenerateRandom", { NumberOfBytes: 3 }],
      ["CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["ListRetirableGrants", { RetiringPrincipal: arn }],
      ["DescribeKey", { KeyId: Arn }],
      ["Encrypt", { KeyId: Arn, Plaintext: "bQ==" }],
    ] as const)
      assert.equal(await b.asOther(operation, body), "AccessDeniedException", `${name}: ${operation}`);
    assert.equal((await stateOf(b))[0]!["Keys"].length, (before[0]!["Keys"].length as number) + 1);

    const owner = { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "kms:*", Resource: "*" };
    for (const AWS of [arn, "111122223333"]) {
      const shared = { ...owner, Principal: { AWS }, Action: "kms:Encrypt" };
      await b.ok("PutKeyPolicy", { KeyId, Policy: JSON.stringify({ Statement: [owner, shared] }) });
      assert.equal(await b.asOther("Encrypt", { KeyId: Arn, Plaintext: "bQ==" }), "allowed", `${name} as ${AWS}`);
      assert.equal(await b.asOther("DescribeKey", { KeyId: Arn }), "AccessDeniedException", name);
    }
  }
});

test("a key policy alone gives a user of another account nothing; it gives its root", async (t) => {
  for (const [name, expected] of [
    ["user/ann", "AccessDeniedException"],
    ["role/app", "AccessDeniedException"],
    ["root", "allowed"],
  ] as const) {
    const arn = `arn:aws:iam::111122223333:${name}`;
    const b = await benchWith(t, arn);
    const owner = { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "kms:*", Resource: "*" };
    for (const Principal of ["*", { AWS: arn }, { AWS: "111122223333" }]) {
      const shared = { ...owner, Principal, Action: "kms:Encrypt" };
      const { KeyId, Arn } = await b.key({ Policy: JSON.stringify({ Statement: [owner, shared] }) });
      assert.equal(await b.asOther("Encrypt", { KeyId: Arn, Plaintext: "bQ==" }), expected, JSON.stringify(Principal));
      await b.ok("CreateGrant", { KeyId, GranteePrincipal: arn, Operations: ["Encrypt"] });
      // A grant needs nothing else.
      assert.equal(await b.asOther("Encrypt", { KeyId: Arn, Plaintext: "bQ==" }), "allowed", name);
    }
  }
});
