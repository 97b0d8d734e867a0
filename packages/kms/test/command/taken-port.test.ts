// A port that something else has keeps its own region from serving, and no other.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKms } from "@strongroom/kms";
import { temporaryDirectory } from "../running-kms.ts";
import { run } from "./run.ts";
import { serving } from "./serving.ts";

async function takenPort(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

void test("serve: the other regions serve, the one without a port is named, and serves once the port is free", async (t) => {
  const { port, server } = await takenPort();
  const dir = await temporaryDirectory(t);
  const regions = ["--region", "eu-west-1", "--region", `eu-west-2=${port}`, "--region", "eu-central-1"];
  const kms = await serving(t, "--data-dir", dir, ...regions);
  assert.match(kms.stderr(), new RegExp(`eu-west-2 DOES NOT SERVE: its port is in use, 127\\.0\\.0\\.1:${port}\\.`));
  assert.deepEqual(kms.notServing, { "eu-west-2": `127.0.0.1:${port}.` });
  for (const region of ["eu-west-1", "eu-central-1"]) await kms.client(region).listKeys({});
  assert.equal(kms.endpoints["eu-west-2"], `http://127.0.0.1:${port}`);
  server.close();
  const late = kms.client("eu-west-2");
  while ((await late.listKeys({}).catch(() => null)) === null) await sleep(50);
  assert.equal(await kms.end(), 0);
});

void test("serve: a region that never served is the end's error; that no port could be had, the start's", async (t) => {
  const { port, server } = await takenPort();
  t.after(() => server.close());
  const dir = await temporaryDirectory(t);
  const kms = await serving(t, "--data-dir", dir, "--region", "eu-west-1", "--region", `eu-west-2=${port}`);
  assert.equal(await kms.end(), 2);
  assert.match(kms.stderr(), /port-in-use/);
  const refused = await run("serve", "--data-dir", dir, "--region", `eu-west-1=${port}`);
  assert.equal(refused.exit, 2);
  assert.match(refused.stderr, /port-in-use/);
});

void test("createKms starts nothing by default where a port is in use", async (t) => {
  const { port, server } = await takenPort();
  t.after(() => server.close());
  const regions = [
    { name: "eu-west-1", port: 0 },
    { name: "eu-west-2", port },
  ];
  await assert.rejects(createKms({ regions }), { code: "port-in-use" });
  await using kms = await createKms({ regions, takenPorts: "retried" });
  assert.deepEqual(Object.keys(kms.notServing), ["eu-west-2"]);
  await assert.rejects(kms.startRegion("eu-west-2"), { code: "port-in-use" });
  await kms.stopRegion("eu-west-2");
  assert.deepEqual(kms.notServing, {});
});
