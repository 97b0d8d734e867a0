import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { REGION, controlHeader, failure, runningKms, temporaryDirectory } from "./running-kms.ts";

test("a key made in one process opens its ciphertexts in the next", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const options = {
    dataDir,
    regions: [{ name: REGION, port: 0 }],
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
  } as const;
  const first = await runningKms(t, options);
  const { KeyMetadata } = await first.client().createKey({ Description: "first" });
  await first.client().createAlias({ AliasName: "alias/a", TargetKeyId: KeyMetadata!.KeyId! });
  const { CiphertextBlob, Plaintext } = await first
    .client()
    .generateDataKey({ KeyId: "alias/a", KeySpec: "AES_256", EncryptionContext: { a: "1" } });
  await first.kms.close();

  const second = await runningKms(t, options);
  const opened = await second.client().decrypt({ CiphertextBlob: CiphertextBlob!, EncryptionContext: { a: "1" } });
  assert.deepEqual(opened.Plaintext, Plaintext);
  assert.equal(opened.KeyId, KeyMetadata!.Arn);
  const described = await second.client().describeKey({ KeyId: "alias/a" });
  assert.deepEqual(described.KeyMetadata, KeyMetadata);
  assert.deepEqual(second.kms.credentials, first.kms.credentials);
});

test("secret files are private to their owner, and refused when they are not", async (t) => {
  const { kms, dataDir } = await runningKms(t);
  for (const name of ["root.key", "credentials.json", "kms.sqlite", "kms.lock"]) {
    assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
  }
  await kms.close();
  const { chmodSync } = await import("node:fs");
  chmodSync(join(dataDir, "root.key"), 0o644);
  await (await runningKms(t, { dataDir })).kms.close();
  // The folder that kept others away from it is open now.
  chmodSync(dataDir, 0o755);
  await assert.rejects(runningKms(t, { dataDir }), { name: "KmsError", code: "file-permissions" });
});

test("regions are apart: a key of one is unknown in the other", async (t) => {
  const { client } = await runningKms(t);
  const { KeyMetadata } = await client("eu-west-1").createKey({});
  const other = client("eu-west-2");
  const byId = await failure(other.describeKey({ KeyId: KeyMetadata!.KeyId! }));
  assert.deepEqual(byId, {
    name: "NotFoundException",
    message: `Key '${KeyMetadata!.Arn!.replace("eu-west-1", "eu-west-2")}' does not exist`,
    status: 400,
  });
  const byArn = await failure(other.describeKey({ KeyId: KeyMetadata!.Arn! }));
  assert.equal(byArn.message, "Invalid arn eu-west-1");
  assert.deepEqual((await other.listKeys({})).Keys, []);
});

test("a region's port takes only signatures for that region", async (t) => {
  const { client } = await runningKms(t);
  const refused = await failure(client("eu-west-1", { at: "eu-west-2" }).listKeys({}));
  assert.equal(refused.name, "InvalidSignatureException");
  assert.match(refused.message, /valid region/);
});

test("a stopped region refuses connections and comes back on the same port", async (t) => {
  const { kms, client } = await runningKms(t);
  const endpoint = kms.endpoints[REGION];
  const { KeyMetadata } = await client().createKey({});
  await kms.stopRegion(REGION);
  assert.match((await failure(client().listKeys({}))).message, /ECONNREFUSED/);
  assert.ok((await client("eu-west-2").listKeys({})).Keys, "the others go on");
  await kms.startRegion(REGION);
  assert.equal(kms.endpoints[REGION], endpoint);
  assert.equal((await client().describeKey({ KeyId: KeyMetadata!.KeyId! })).KeyMetadata!.KeyState, "Enabled");
  await assert.rejects(kms.stopRegion("us-east-1"), { code: "region-unknown" });
});

test("the wrong root key is refused at start, and a lost one is not replaced", async (t) => {
  const { kms, dataDir } = await runningKms(t);
  await kms.close();
  const path = join(dataDir, "root.key");
  const right = readFileSync(path);
  writeFileSync(path, `${"0".repeat(64)}\n`);
  await assert.rejects(runningKms(t, { dataDir }), { code: "root-key-wrong" });
  writeFileSync(path, "short\n");
  await assert.rejects(runningKms(t, { dataDir }), { code: "root-key-malformed" });
  const { unlinkSync } = await import("node:fs");
  unlinkSync(path);
  await assert.rejects(runningKms(t, { dataDir }), { code: "root-key-missing" });
  assert.equal(existsSync(path), false);
  writeFileSync(path, right, { mode: 0o600 });
  await runningKms(t, { dataDir });
});

test("a passphrase opens what it sealed; another one does not", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const withPassphrase = (text: string): Parameters<typeof runningKms>[1] => ({
    dataDir,
    rootKey: { kind: "passphrase", passphrase: Buffer.from(text) },
  });
  const { kms, client } = await runningKms(t, withPassphrase("correct horse"));
  await client().createKey({});
  await kms.close();
  assert.equal(existsSync(join(dataDir, "root.key")), false);
  await assert.rejects(runningKms(t, withPassphrase("wrong horse")), { code: "root-key-wrong" });
  const again = await runningKms(t, withPassphrase("correct horse"));
  assert.equal((await again.client().listKeys({})).Keys!.length, 1);
});

test("a database of a newer version is refused", async (t) => {
  const { kms, dataDir } = await runningKms(t);
  await kms.close();
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
  database.exec("INSERT INTO kysely_migration VALUES ('9999-later', '2099-01-01T00:00:00.000Z')");
  database.close();
  await assert.rejects(runningKms(t, { dataDir }), { code: "store-newer", message: /9999-later/ });
});

test("two servers on one data directory are refused", async (t) => {
  const { dataDir } = await runningKms(t);
  await assert.rejects(runningKms(t, { dataDir }), { code: "data-dir-in-use" });
});

test("a port in use is named, and nothing stays open", async (t) => {
  const first = await runningKms(t);
  const port = Number(new URL(first.kms.endpoints[REGION]!).port);
  const dataDir = await temporaryDirectory(t);
  await assert.rejects(
    runningKms(t, {
      dataDir,
      regions: [
        { name: "eu-west-2", port: 0 },
        { name: REGION, port },
      ],
    }),
    { code: "port-in-use", message: new RegExp(String(port)) },
  );
  await runningKms(t, { dataDir });
});

test("every invalid option is named at once", async () => {
  const options = {
    dataDir: "",
    regions: [{ name: "nowhere", port: 99999 }],
    rootKey: { kind: "file", path: "x" },
    accountId: "12",
    faultsPort: 1,
  } as const;
  await assert.rejects(createKms(options), (error: Error) => {
    for (const name of ["dataDir", "regions.0.name", "regions.0.port", "accountId", "faultsPort"])
      assert.match(error.message, new RegExp(name));
    return true;
  });
});

test("the control port stops and starts regions, for programs of this machine only", async (t) => {
  const { kms, client } = await runningKms(t, { allowFaults: "loopback" });
  const post = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${kms.faultsEndpoint!}/_strongroom/regions/${path}`, {
      method: "POST",
      headers: { ...controlHeader(kms), ...headers },
    });
  assert.equal((await post(`${REGION}/stop`)).status, 200);
  await failure(client().listKeys({}));
  assert.equal((await post(`${REGION}/stop`)).status, 200, "stopping twice is no error");
  assert.equal((await post(`${REGION}/start`)).status, 200);
  await client().listKeys({});
  assert.equal((await post("mars-north-1/stop")).status, 404);
  assert.equal((await post(`${REGION}/stop`, { origin: "https://example.com" })).status, 403);
  await client().listKeys({});
});

test("the control port takes the token of this start, from a file of its owner's alone, and nothing else", async (t) => {
  const { kms, dataDir, client } = await runningKms(t, { allowFaults: "loopback" });
  const { authorization } = controlHeader(kms);
  assert.equal(kms.faultsHeaderFile, join(dataDir, "control.header"));
  assert.equal(statSync(kms.faultsHeaderFile).mode & 0o777, 0o600);
  const token = authorization.replace("Bearer ", "");
  const wrong = [null, "", "Bearer", "Bearer ", token, `Basic ${token}`, `bearer ${token}`, `${authorization}x`];
  wrong.push(authorization.slice(0, -1), `Bearer ${"A".repeat(43)}`, kms.credentials.secretAccessKey);
  for (const [method, path] of [
    ["GET", "regions"],
    ["POST", `regions/${REGION}/stop`],
    ["POST", `regions/${REGION}/faults`],
    ["DELETE", `regions/${REGION}/faults`],
    ["POST", "clock"],
    ["GET", "nowhere"],
  ] as const)
    for (const value of wrong) {
      const headers = value === null ? {} : { authorization: value };
      const { status } = await fetch(`${kms.faultsEndpoint!}/_strongroom/${path}`, { method, headers });
      assert.equal(status, 401, `${method} ${path} ${String(value)}`);
    }
  await client().listKeys({});
  await kms.close();
  assert.equal(existsSync(join(dataDir, "control.header")), false);
  await using again = await createKms({ dataDir, allowFaults: "loopback" });
  assert.notEqual(controlHeader(again).authorization, authorization);
});
