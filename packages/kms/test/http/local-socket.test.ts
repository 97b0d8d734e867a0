// Unix sockets beside the ports: who can reach them, what is left behind, and what is refused.

import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKms } from "@strongroom/kms";
import { controlHeader, temporaryDirectory } from "../running-kms.ts";

const REGIONS = [
  { name: "eu-west-1", port: 0 },
  { name: "eu-west-2", port: 0 },
];

/** What a region answers over its socket; the error's code if nothing does. */
function health(socketPath: string): Promise<string> {
  return new Promise((resolve) => {
    request({ socketPath, path: "/healthz", agent: false }, (answer) => {
      answer.setEncoding("utf8").on("data", resolve);
    })
      .on("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message);
      })
      .end();
  });
}

void test("each region has a socket that its owner alone can reach, and which comes and goes with the region", async (t) => {
  const socketDir = join(await temporaryDirectory(t), "sockets");
  const kms = await createKms({ regions: REGIONS, socketDir });
  const [first = "", second = ""] = Object.values(kms.sockets);
  assert.deepEqual(kms.sockets, {
    "eu-west-1": join(socketDir, "eu-west-1.sock"),
    "eu-west-2": join(socketDir, "eu-west-2.sock"),
  });
  assert.equal(statSync(socketDir).mode & 0o777, 0o700);
  assert.equal(statSync(first).mode & 0o777, 0o600);
  assert.match(await health(first), /"region":"eu-west-1"/);
  await kms.stopRegion("eu-west-1");
  assert.equal(await health(first), "ENOENT");
  assert.match(await health(second), /"region":"eu-west-2"/);
  await Promise.all([kms.startRegion("eu-west-1"), kms.startRegion("eu-west-1")]);
  assert.match(await health(first), /"region":"eu-west-1"/);
  await kms.close();
  for (const path of [first, second]) assert.equal(existsSync(path), false);
});

void test("a port that is taken keeps nobody from the socket, at the start and after a stop", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const socketDir = join(await temporaryDirectory(t), "sockets");
  const regions = [{ name: "eu-west-1", port }];
  await using kms = await createKms({ regions, socketDir, takenPorts: "retried" });
  const path = kms.sockets["eu-west-1"] ?? "";
  assert.deepEqual(Object.keys(kms.notServing), ["eu-west-1"]);
  assert.match(await health(path), /ok/);
  await kms.stopRegion("eu-west-1");
  assert.equal(await health(path), "ENOENT");
  await kms.startRegion("eu-west-1");
  assert.match(await health(path), /ok/);
  taken.close();
  while (Object.keys(kms.notServing).length > 0) await sleep(50);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  // By default nothing starts, and no socket stays.
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const refused = { name: "eu-west-9", port: (other.address() as AddressInfo).port };
  await assert.rejects(createKms({ regions: [refused], socketDir: `${socketDir}2` }), { code: "port-in-use" });
  assert.equal(existsSync(join(`${socketDir}2`, "eu-west-9.sock")), false);
  other.close();
});

void test("a socket that a killed server left is replaced; anything else is not", async (t) => {
  const folder = await temporaryDirectory(t);
  const socketDir = join(folder, "sockets");
  mkdirSync(socketDir, { mode: 0o755 });
  chmodSync(socketDir, 0o755);
  const left = join(socketDir, "eu-west-1.sock");
  const script = `require("node:net").createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", script]), "exit");
  assert.ok(lstatSync(left).isSocket());
  assert.equal(await health(left), "ECONNREFUSED");
  const kms = await createKms({ socketDir });
  assert.match(await health(left), /ok/);
  assert.equal(statSync(socketDir).mode & 0o777, 0o700);
  await kms.close();
  writeFileSync(left, "someone's file");
  await assert.rejects(createKms({ socketDir }), { code: "socket-dir-unusable" });
  assert.ok(lstatSync(left).isFile());
});

void test("a folder that is a link, a file, another user's, or too deep is refused", async (t) => {
  const folder = await temporaryDirectory(t);
  mkdirSync(join(folder, "real"), { mode: 0o700 });
  symlinkSync(join(folder, "real"), join(folder, "link"));
  writeFileSync(join(folder, "file"), "");
  const others = process.geteuid?.() === 0 ? [] : ["/usr"];
  for (const socketDir of [join(folder, "link"), join(folder, "file"), join(folder, "d".repeat(100)), ...others])
    await assert.rejects(createKms({ socketDir }), { code: "socket-dir-unusable" }, socketDir);
});

void test("faults are felt over a socket as over a port", async (t) => {
  const socketDir = join(await temporaryDirectory(t), "sockets");
  await using kms = await createKms({ socketDir, allowFaults: "loopback" });
  const path = kms.sockets["eu-west-1"] ?? "";
  const order = async (what: string, body?: object): Promise<void> => {
    const answer = await fetch(`${kms.faultsEndpoint ?? ""}/_strongroom/regions/eu-west-1/${what}`, {
      method: "POST",
      headers: controlHeader(kms),
      ...(body && { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok);
  };
  const call = (): Promise<string> =>
    new Promise((resolve) => {
      const target = { "x-amz-target": "TrentService.ListKeys" };
      request({ socketPath: path, path: "/", method: "POST", headers: target, agent: false }, (answer) => {
        answer.resume();
        resolve(String(answer.statusCode));
      })
        .on("error", (error: NodeJS.ErrnoException) => {
          resolve(error.code ?? error.message);
        })
        .end("{}");
    });
  assert.equal(await call(), "400");
  await order("faults", { kind: "refuse" });
  assert.equal(await call(), "ECONNRESET");
  await order("stop");
  assert.equal(await call(), "ENOENT");
});
