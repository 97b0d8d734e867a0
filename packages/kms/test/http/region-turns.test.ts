// Starts and stops of one region that overlap: the last word counts, and none fails for another.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKms } from "@strongroom/kms";

const isOpen = (endpoint: string): Promise<boolean> =>
  fetch(`${endpoint}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

test("two starts at once, and a stop right after a start", async () => {
  await using kms = await createKms();
  const endpoint = kms.endpoints["eu-west-1"]!;
  await kms.stopRegion("eu-west-1");
  await Promise.all([kms.startRegion("eu-west-1"), kms.startRegion("eu-west-1")]);
  assert.equal(await isOpen(endpoint), true);
  await kms.stopRegion("eu-west-1");
  await Promise.all([kms.startRegion("eu-west-1"), kms.stopRegion("eu-west-1")]);
  assert.equal(await isOpen(endpoint), false, "stopped last");
  await kms.startRegion("eu-west-1");
  await Promise.all([kms.stopRegion("eu-west-1"), kms.startRegion("eu-west-1")]);
  assert.equal(await isOpen(endpoint), true, "started last");
});

test("a region that is being started when the KMS closes leaves no port open", async () => {
  const kms = await createKms();
  await kms.stopRegion("eu-west-1");
  const starting = kms.startRegion("eu-west-1").catch(() => undefined);
  await kms.close();
  assert.equal(await isOpen(kms.endpoints["eu-west-1"]!), false);
  await starting;
  assert.equal(await isOpen(kms.endpoints["eu-west-1"]!), false);
});

test("a region whose port was taken stays stopped when it is stopped while its port is tried again", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const regions = [
    { name: "eu-west-1", port: 0 },
    { name: "eu-west-2", port },
  ];
  await using kms = await createKms({ regions, takenPorts: "retried" });
  other.close();
  await once(other, "close");
  const retried = kms.startRegion("eu-west-2");
  await kms.stopRegion("eu-west-2");
  await retried;
  await sleep(1200);
  assert.equal(await isOpen(kms.endpoints["eu-west-2"]!), false);
  assert.deepEqual(kms.notServing, {});
});
