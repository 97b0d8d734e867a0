import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import type { AuditEvent } from "../../src/audit/event.ts";
import { failure, REGION, runningKms } from "../running-kms.ts";
import { send, signedCall, signedHeaders } from "../signed-call.ts";

interface Row {
  readonly seq: number;
  readonly event: string;
}

function eventsOf(dataDir: string): AuditEvent[] {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT seq, event FROM audit ORDER BY seq").all() as unknown as Row[];
  database.close();
  return rows.map((row) => JSON.parse(row.event) as AuditEvent);
}

test("every call is on record when its answer arrives: who, what, which key, which context, how it went", async (t) => {
  const { dataDir, client, kms } = await runningKms(t);
  const region = client();
  const { KeyId, Arn } = (await region.createKey({ Description: "audited" })).KeyMetadata!;
  const { CiphertextBlob, $metadata } = await region.encrypt({
    KeyId: KeyId!,
    Plaintext: Buffer.from("a secret plaintext"),
    EncryptionContext: { customer: "42" },
  });
  const [, encrypted] = eventsOf(dataDir);
  assert.equal(encrypted!.eventName, "Encrypt");
  assert.deepEqual(encrypted!.userIdentity, {
    type: "Root",
    principalId: "000000000000",
    arn: "arn:aws:iam::000000000000:root",
    accountId: "000000000000",
    accessKeyId: kms.credentials.accessKeyId,
  });
  assert.deepEqual(encrypted!.requestParameters, { keyId: KeyId, encryptionContext: { customer: "42" } });
  assert.equal(encrypted!.requestID, $metadata.requestId);
  assert.deepEqual(encrypted!.resources, [{ accountId: "000000000000", type: "AWS::KMS::Key", ARN: Arn }]);
  assert.deepEqual([encrypted!.readOnly, encrypted!.awsRegion, encrypted!.errorCode], [true, REGION, undefined]);
  await failure(region.decrypt({ CiphertextBlob: CiphertextBlob! }));
  await region.disableKey({ KeyId: KeyId! });
  await failure(region.encrypt({ KeyId: KeyId!, Plaintext: Buffer.from("x") }));
  const events = eventsOf(dataDir);
  assert.deepEqual(
    events.map((event) => [event.eventName, event.errorCode ?? null]),
    [
      ["CreateKey", null],
      ["Encrypt", null],
      ["Decrypt", "InvalidCiphertextException"],
      ["DisableKey", null],
      ["Encrypt", "DisabledException"],
    ],
  );
  assert.equal((events[0]!.responseElements as { keyMetadata: { KeyId: string } }).keyMetadata.KeyId, KeyId);
});

test("no plaintext, ciphertext, data key or token is in the audit or anywhere in the data directory", async (t) => {
  const { dataDir, client } = await runningKms(t);
  const region = client();
  const { KeyId } = (await region.createKey({})).KeyMetadata!;
  const secret = randomBytes(64);
  const { CiphertextBlob } = await region.encrypt({ KeyId: KeyId!, Plaintext: secret });
  const { Plaintext } = await region.generateDataKey({ KeyId: KeyId!, KeySpec: "AES_256" });
  await region.decrypt({ CiphertextBlob: CiphertextBlob! });
  const { GrantToken } = await region.createGrant({
    KeyId: KeyId!,
    GranteePrincipal: "arn:aws:iam::000000000000:user/u",
    Operations: ["Decrypt"],
  });
  const audit = JSON.stringify(eventsOf(dataDir));
  assert.equal(audit.includes(GrantToken!), false);
  for (const bytes of [secret, Buffer.from(Plaintext!), Buffer.from(CiphertextBlob!)]) {
    for (const name of ["kms.sqlite", "kms.sqlite-wal"]) {
      const file = readFileSync(join(dataDir, name));
      for (const form of [bytes, Buffer.from(bytes.toString("base64")), Buffer.from(bytes.toString("hex"))])
        assert.equal(file.includes(form), false);
    }
  }
});

test("a call whose audit entry cannot be written fails, and what it changed is taken back", async (t) => {
  const { dataDir, client } = await runningKms(t);
  const region = client();
  const { KeyId } = (await region.createKey({})).KeyMetadata!;
  const other = new DatabaseSync(join(dataDir, "kms.sqlite"));
  other.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  for (const call of [
    region.createKey({}),
    region.disableKey({ KeyId: KeyId! }),
    region.generateDataKey({ KeyId: KeyId!, KeySpec: "AES_256" }),
  ]) {
    const refused = await failure(call);
    assert.deepEqual([refused.name, refused.status], ["KMSInternalException", 500]);
    assert.doesNotMatch(refused.message, /disk|sqlite|trigger/i);
  }
  other.exec("DROP TRIGGER full");
  other.close();
  assert.equal((await region.listKeys({})).Keys!.length, 1);
  assert.equal((await region.describeKey({ KeyId: KeyId! })).KeyMetadata!.KeyState, "Enabled");
  assert.deepEqual(
    eventsOf(dataDir).map((event) => event.eventName),
    ["CreateKey", "ListKeys", "DescribeKey"],
  );
});

test("what the service does of its own accord is on record too", async (t) => {
  const running = await runningKms(t);
  const { KeyId, Arn } = (await running.client().createKey({})).KeyMetadata!;
  await running.client().scheduleKeyDeletion({ KeyId: KeyId!, PendingWindowInDays: 7 });
  running.clock.advance(8 * 86_400_000);
  await running.client().listKeys({});
  const deleted = eventsOf(running.dataDir).find((event) => event.eventName === "DeleteKey")!;
  assert.equal(deleted.eventType, "AwsServiceEvent");
  assert.equal(deleted.resources[0]!.ARN, Arn);
});

test("on whose behalf a call is made is part of the identity when it is signed, and else only a claim", async (t) => {
  const { kms, dataDir, client } = await runningKms(t);
  await client().createKey({});
  const said = { "x-strongroom-session": "token/tok_1", "x-strongroom-request-id": "r-1" };
  const call = {
    endpoint: kms.endpoints[REGION]!,
    credentials: kms.credentials,
    region: REGION,
    operation: "ListKeys",
    body: {},
  };
  assert.equal((await signedCall({ ...call, headers: said })).status, 200);
  const unsigned = { ...(await signedHeaders(call, "{}")), ...said };
  assert.equal((await send(call.endpoint, unsigned, "{}")).status, 200);
  // One of the two under the signature does not carry the other.
  const half = await signedHeaders({ ...call, headers: { "x-strongroom-request-id": "r-2" } }, "{}");
  assert.equal((await send(call.endpoint, { ...half, "x-strongroom-session": "admin" }, "{}")).status, 200);
  for (const name of ["a b", "x".repeat(65), 'a"b', "", "<script>"])
    assert.equal((await signedCall({ ...call, headers: { "x-strongroom-session": name } })).status, 200);
  const changed = { ...(await signedHeaders({ ...call, headers: said }, "{}")), "x-strongroom-session": "other" };
  assert.equal((await send(call.endpoint, changed, "{}")).status, 400, "a signed one cannot be exchanged");
  const recorded = eventsOf(dataDir)
    .slice(1)
    .map(({ userIdentity, additionalEventData }) => [
      (userIdentity as { sessionContext?: unknown }).sessionContext,
      additionalEventData,
    ]);
  assert.deepEqual(recorded, [
    [{ sourceIdentity: "token/tok_1" }, { callerRequestId: "r-1" }],
    [undefined, { claimedSourceIdentity: "token/tok_1", claimedCallerRequestId: "r-1" }],
    [undefined, { claimedSourceIdentity: "admin", claimedCallerRequestId: "r-2" }],
    ...Array.from({ length: 5 }, () => [undefined, undefined]),
  ]);
});
