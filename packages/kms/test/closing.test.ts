import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { createKms } from "@strongroom/kms";
import { failure, REGION, runningKms, temporaryDirectory } from "./running-kms.ts";

/** What can become of a data folder behind a server's back. */
const LOSSES: Readonly<Record<string, (dataDir: string) => void>> = {
  "is gone": (dataDir) => {
    rmSync(dataDir, { recursive: true });
  },
  "is gone and a new, empty one has its name": (dataDir) => {
    rmSync(dataDir, { recursive: true });
    mkdirSync(dataDir);
  },
  "has another name": (dataDir) => {
    renameSync(dataDir, `${dataDir}.moved`);
  },
};

for (const [loss, lose] of Object.entries(LOSSES)) {
  test(`a server whose data folder ${loss} closes, and lets go of its ports`, async (t) => {
    const dataDir = await temporaryDirectory(t);
    t.after(() => {
      rmSync(`${dataDir}.moved`, { recursive: true, force: true });
    });
    const { kms, client } = await runningKms(t, { dataDir, allowFaults: "loopback" });
    const { KeyId } = (await client().createKey({})).KeyMetadata!;
    // Its last use is written when the server closes.
    await client().encrypt({ KeyId: KeyId!, Plaintext: Buffer.from("x") });
    lose(dataDir);
    await kms.close();
    await kms.close();
    for (const endpoint of [...Object.values(kms.endpoints), kms.faultsEndpoint!]) {
      await assert.rejects(
        fetch(endpoint),
        (error: Error) => (error.cause as { code: string }).code === "ECONNREFUSED",
      );
    }
  });
}

test("a temporary server whose folder is gone closes, also while calls are under way", async () => {
  const kms = await createKms();
  const { KMS } = await import("@aws-sdk/client-kms");
  const client = new KMS({ ...kms.clientConfig(), maxAttempts: 1 });
  await client.createKey({});
  rmSync(kms.dataDir, { recursive: true });
  const calls = Array.from({ length: 20 }, () =>
    client.createKey({}).then(
      () => "answered",
      () => "failed",
    ),
  );
  await kms.close();
  const ends = await Promise.all(calls);
  assert.equal(ends.length, 20, "each call has ended, one way or the other");
  client.destroy();
});

test("a closed server opens no port again, also when that was asked for just before", async (t) => {
  const { kms, client } = await runningKms(t);
  await kms.stopRegion(REGION);
  const started = kms.startRegion(REGION).then(
    () => "started",
    (error: unknown) => (error as { code: string }).code,
  );
  await kms.close();
  assert.match(await started, /^(?:started|region-unknown)$/);
  await assert.rejects(kms.startRegion(REGION), { code: "region-unknown", message: /closed/ });
  assert.match((await failure(client().listKeys({}))).message, /ECONNREFUSED/);
});
