// The emulator as test suites of others use it: one port, every region, any access key or none, reset between tests.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import type { Kms, KmsOptions } from "@strongroom/kms";
import { failure, temporaryDirectory } from "../running-kms.ts";
import { send, signedCall } from "../signed-call.ts";

async function emulating(t: TestContext, options: Partial<KmsOptions> = {}): Promise<Kms> {
  const kms = await createKms({ emulator: "loopback", ...options });
  t.after(() => kms.close());
  return kms;
}

function clientOf(t: TestContext, kms: Kms, region: string, accessKeyId = "test"): KMS {
  const credentials = { accessKeyId, secretAccessKey: accessKeyId };
  const client = new KMS({ region, endpoint: kms.emulatorEndpoint!, credentials, maxAttempts: 1 });
  t.after(() => {
    client.destroy();
  });
  return client;
}

/** A call without any signature. */
const unsigned = (kms: Kms, operation: string, body: object): ReturnType<typeof send> =>
  send(kms.emulatorEndpoint!, { "x-amz-target": `TrentService.${operation}` }, JSON.stringify(body));

const post = (kms: Kms, path: string): Promise<Response> => fetch(kms.emulatorEndpoint! + path, { method: "POST" });

test("the region is the one of the signature, whatever the access key", async (t) => {
  const kms = await emulating(t);
  const regions = ["us-east-1", "eu-west-3", "us-gov-west-1", "ap-southeast-4"];
  for (const [index, region] of regions.entries()) {
    const { KeyMetadata } = await clientOf(t, kms, region, ["test", "x", "AKIAIOSFODNN7EXAMPLE", "1"][index]).createKey(
      {},
    );
    assert.match(KeyMetadata!.Arn!, new RegExp(`^arn:aws:kms:${region}:000000000000:key/`));
    assert.equal((await clientOf(t, kms, region).listKeys({})).Keys!.length, 1, "regions are apart");
  }
  assert.deepEqual(kms.endpoints, { "us-east-1": kms.emulatorEndpoint });
  assert.equal(kms.clientConfig("sa-east-1").endpoint, kms.emulatorEndpoint);
  assert.deepEqual(kms.credentials, { accessKeyId: "test", secretAccessKey: "test" });
  assert.throws(() => kms.clientConfig("../../x"), { code: "region-unknown" });
});

test("what was encrypted is decrypted by another access key: all are the account's root", async (t) => {
  const kms = await emulating(t, { accountId: "123456789012" });
  const { KeyMetadata } = await clientOf(t, kms, "us-east-1", "a").createKey({});
  const sealed = await clientOf(t, kms, "us-east-1", "b").encrypt({
    KeyId: KeyMetadata!.KeyId!,
    Plaintext: Buffer.from("text"),
  });
  const { Plaintext } = await clientOf(t, kms, "us-east-1", "c").decrypt({ CiphertextBlob: sealed.CiphertextBlob! });
  assert.equal(Buffer.from(Plaintext!).toString(), "text");
  assert.equal(KeyMetadata!.AWSAccountId, "123456789012");
});

test("requests without a signature, or with one that says nothing, go to the first region", async (t) => {
  const kms = await emulating(t, { regions: [{ name: "eu-west-2", port: 0 }] });
  const { json, status } = await unsigned(kms, "CreateKey", {});
  assert.equal(status, 200);
  assert.match((json["KeyMetadata"] as { Arn: string }).Arn, /:eu-west-2:/);
  for (const authorization of ["Bearer x", "", "AWS4-HMAC-SHA256 Credential=/////, SignedHeaders=, Signature="]) {
    const headers = { "x-amz-target": "TrentService.ListKeys", authorization };
    assert.equal((await send(kms.emulatorEndpoint!, headers, "{}")).status, 200, authorization);
  }
});

test("a signature of any age, of any time and of nothing is taken; the audit says what it claimed", async (t) => {
  const kms = await emulating(t);
  const answer = await signedCall({
    endpoint: kms.emulatorEndpoint!,
    credentials: { accessKeyId: "x", secretAccessKey: "x", sessionToken: "anything" },
    region: "eu-north-1",
    operation: "CreateKey",
    body: {},
    signingDate: new Date("2001-01-01T00:00:00Z"),
  });
  assert.equal(answer.status, 200);
});

test("an access key of the principals file is that principal, and its policies count", async (t) => {
  const principalsFile = join(await temporaryDirectory(t), "principals.json");
  const arn = "arn:aws:iam::000000000000:user/reader";
  const Statement = [{ Effect: "Allow", Action: "kms:List*", Resource: "*" }];
  const accessKeys = [{ accessKeyId: "AKIAREADERREADERREAD", secretAccessKey: "not checked, but needed" }];
  writeFileSync(principalsFile, JSON.stringify({ principals: [{ arn, policies: [{ Statement }], accessKeys }] }), {
    mode: 0o600,
  });
  const kms = await emulating(t, { principalsFile });
  const reader = clientOf(t, kms, "us-east-1", "AKIAREADERREADERREAD");
  assert.deepEqual((await reader.listKeys({})).Keys, []);
  assert.equal((await failure(reader.createKey({}))).name, "AccessDeniedException");
});

test("a multi-Region key is replicated to a region that nobody has named before", async (t) => {
  const kms = await emulating(t);
  const { KeyMetadata } = await clientOf(t, kms, "us-east-1").createKey({ MultiRegion: true });
  const KeyId = KeyMetadata!.KeyId!;
  await clientOf(t, kms, "us-east-1").replicateKey({ KeyId, ReplicaRegion: "af-south-1" });
  assert.equal((await clientOf(t, kms, "af-south-1").describeKey({ KeyId })).KeyMetadata!.KeyState, "Enabled");
});

for (const path of ["/_strongroom/reset", "/moto-api/reset", "/_ministack/reset", "/_localstack/state/reset"]) {
  test(`POST ${path} brings everything back to the start, the seed's keys included`, async (t) => {
    const id = "11111111-2222-4333-8444-555555555555";
    const kms = await emulating(t, { seed: { keys: [{ id, aliases: ["alias/a"], material: "01".repeat(32) }] } });
    const client = clientOf(t, kms, "us-east-1");
    const other = clientOf(t, kms, "eu-west-1");
    await other.createKey({});
    const { CiphertextBlob } = await client.encrypt({ KeyId: "alias/a", Plaintext: Buffer.from("text") });
    await client.deleteAlias({ AliasName: "alias/a" });
    await client.scheduleKeyDeletion({ KeyId: id });
    const { KeyMetadata } = await client.createKey({});
    await client.createAlias({ AliasName: "alias/b", TargetKeyId: KeyMetadata!.KeyId! });
    assert.equal((await fetch(kms.emulatorEndpoint! + path)).status, 400, "a GET resets nothing");
    assert.equal((await client.listKeys({})).Keys!.length, 2);
    const answer = await post(kms, path);
    assert.deepEqual([answer.status, await answer.json()], [200, { status: "ok" }]);
    assert.deepEqual(
      (await client.listKeys({})).Keys!.map(({ KeyId }) => KeyId),
      [id],
    );
    assert.deepEqual((await other.listKeys({})).Keys, []);
    const aliases = (await client.listAliases({})).Aliases!.map(({ AliasName }) => AliasName!);
    assert.deepEqual(
      aliases.filter((name) => !name.startsWith("alias/aws/")),
      ["alias/a"],
    );
    const opened = await client.decrypt({ CiphertextBlob: CiphertextBlob! });
    assert.equal(Buffer.from(opened.Plaintext!).toString(), "text", "the seed's material is as it was");
  });
}

test("a reset while calls are under way breaks none of them, and leaves nothing of those before it", async (t) => {
  const kms = await emulating(t);
  const client = clientOf(t, kms, "us-east-1");
  const calls: Promise<unknown>[] = [];
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 12; i++) calls.push(client.createKey({}));
    calls.push(
      post(kms, "/_strongroom/reset").then(({ status }) => {
        assert.equal(status, 200);
      }),
    );
  }
  await Promise.all(calls);
  await post(kms, "/_strongroom/reset");
  assert.deepEqual((await client.listKeys({})).Keys, []);
});

test("what is reset is gone from the disk as well", async (t) => {
  const dataDir = join(await temporaryDirectory(t), "emulator");
  const first = await createKms({ emulator: "loopback", dataDir });
  await unsigned(first, "CreateKey", {});
  await post(first, "/_strongroom/reset");
  const kept = (await unsigned(first, "CreateKey", {})).json["KeyMetadata"] as { KeyId: string };
  await first.close();
  const second = await emulating(t, { dataDir });
  const { json } = await unsigned(second, "ListKeys", {});
  assert.deepEqual(
    (json["Keys"] as { KeyId: string }[]).map(({ KeyId }) => KeyId),
    [kept.KeyId],
  );
});

test("health is answered where start scripts ask for it, and every answer says that it is an emulator", async (t) => {
  const kms = await emulating(t);
  for (const path of ["/healthz", "/health", "/_localstack/health", "/_ministack/health", "/moto-api/"]) {
    const answer = await fetch(kms.emulatorEndpoint! + path);
    const { mode } = (await answer.json()) as { mode: string };
    assert.deepEqual([answer.status, mode], [200, "emulator"], path);
    assert.equal(answer.headers.get("x-strongroom-emulator"), "lets everyone in");
  }
  assert.equal((await unsigned(kms, "ListKeys", {})).headers.get("x-strongroom-emulator"), "lets everyone in");
});

test("STS says who asks; every other service is named in a clear error", async (t) => {
  const kms = await emulating(t, { accountId: "123456789012" });
  const ask = (headers: Record<string, string>, body: string): ReturnType<typeof send> =>
    send(kms.emulatorEndpoint!, headers, body);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const identity = await ask(form, "Action=GetCallerIdentity&Version=2011-06-15");
  assert.equal(identity.status, 200);
  assert.match(identity.text, /<Arn>arn:aws:iam::123456789012:root<\/Arn>.*<Account>123456789012<\/Account>/);
  const table = await ask({ "x-amz-target": "DynamoDB_20120810.ListTables" }, "{}");
  assert.deepEqual(table.json, {
    __type: "UnknownOperationException",
    message: "This emulator is a KMS and nothing else: it has no DynamoDB_20120810.ListTables.",
  });
  const stack = await ask(form, "Action=CreateStack&Version=2010-05-15");
  assert.deepEqual([stack.status, /<Code>InvalidAction<\/Code>.*no CreateStack\./.test(stack.text)], [400, true]);
  const hostile = await ask(form, "Action=%3Cscript%3E");
  assert.match(hostile.text, /it has no POST of this path\./);
  assert.equal(
    (await ask({ "x-amz-target": "TrentService.Nothing" }, "{}")).json["__type"],
    "UnknownOperationException",
  );
});
