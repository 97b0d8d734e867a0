import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";

// A place for temporary files of this process alone, so that what is left in it was left by these tests.
const place = mkdtempSync(join(tmpdir(), "strongroom-kms-"));
process.env["TMPDIR"] = place;
after(() => {
  rmSync(place, { recursive: true });
});

test("a KMS for a test takes one line, and leaves nothing", async () => {
  const kms = await createKms();
  const client = new KMSClient(kms.clientConfig());
  assert.deepEqual((await client.send(new ListKeysCommand({}))).Keys, []);
  assert.deepEqual(Object.keys(kms.endpoints), ["eu-west-1"]);
  assert.throws(() => kms.clientConfig("eu-west-9"), { code: "region-unknown" });
  assert.equal(readdirSync(place).length, 1);
  client.destroy();
  await kms.close();
  await kms.close();
  assert.deepEqual(readdirSync(place), []);
});

test("a KMS that could not start leaves no temporary directory", async () => {
  const first = await createKms();
  const port = Number(new URL(first.endpoints["eu-west-1"]!).port);
  await assert.rejects(createKms({ regions: [{ name: "eu-west-1", port }] }), { code: "port-in-use" });
  await assert.rejects(createKms({ seed: { keys: [{ id: "x" }] } }), { code: "seed-malformed" });
  await first.close();
  assert.deepEqual(readdirSync(place), []);
});
