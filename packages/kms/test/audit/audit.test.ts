import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { AuditChain, ChainVerifier, GENESIS } from "../../src/audit/chain.ts";
import type { AuditEntry } from "../../src/audit/chain.ts";
import type { AuditEvent } from "../../src/audit/event.ts";
import { failure, REGION, runningKms } from "../running-kms.ts";

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

test("the chain shows every change, removal, insertion, exchange and a cut-off end", () => {
  const key = randomBytes(32);
  const chain = new AuditChain(Buffer.from(key), 0, GENESIS);
  const entries = chain.extend(Array.from({ length: 6 }, (_, i) => ({ eventName: `E${i}` }) as AuditEvent));
  const head = chain.head(entries);
  const verify = (rows: readonly AuditEntry[], key_: Uint8Array = key): boolean => {
    const verifier = new ChainVerifier(key_);
    return rows.every((row) => verifier.accepts(row)) && verifier.endsAt(head);
  };
  assert.equal(verify(entries), true);
  assert.equal(verify(entries, randomBytes(32)), false);
  assert.equal(verify(entries.slice(0, -1)), false);
  for (let at = 0; at < entries.length; at++) {
    const changed = entries.map((entry, i) => (i === at ? { ...entry, event: entry.event.replace("E", "F") } : entry));
    const removed = entries.filter((_, i) => i !== at);
    const renumbered = removed.map((entry, i) => ({ ...entry, seq: i + 1 }));
    const doubled = [...entries.slice(0, at + 1), ...entries.slice(at)];
    for (const rows of [changed, removed, renumbered, doubled]) assert.equal(verify(rows), false);
  }
});
