import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCommand } from "../support/command.ts";
import { isRunning, startInstallation, temporaryFolder, until } from "../support/installation.ts";

describe("strongroom up, when its KMS is not what it should be", () => {
  it("replaces a KMS that hangs", async () => {
    await using folder = await temporaryFolder();
    const up = await startInstallation(folder.path);
    await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: '{"a":1}' });
    process.kill(up.ready.kmsPid, "SIGSTOP");
    const log = (): string => readFileSync(join(up.ready.dataDir, "strongroom.log"), "utf8");
    await until(() => log().includes('"kind":"restarted"'));
    assert.match(log(), /"how":"it no longer answered"/);
    assert.equal(await isRunning(up.ready.kmsPid), false);
    await until(async () => (await runCommand(["get", "people", "ada"], { cwd: folder.path })).code === 0);
    assert.equal(await up.stop(), 0);
  });

  it("ends in order while its KMS hangs", async () => {
    await using folder = await temporaryFolder();
    const up = await startInstallation(folder.path);
    process.kill(up.ready.kmsPid, "SIGSTOP");
    assert.equal(await up.stop(), 0);
    assert.equal(await isRunning(up.ready.kmsPid), false);
  });

  it("does without a port that is in use, says so, and opens it when it is free", async () => {
    await using folder = await temporaryFolder();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const ports = ["--region", `us-east-1=${port}`];
    const first = await startInstallation(folder.path, ports);
    assert.deepEqual(Object.keys(first.ready.regionsNotServing), ["us-east-1"]);
    // The service talks to the region over its socket: it has a key, and wraps what is written.
    assert.deepEqual(first.ready.regionsLeftOut, []);
    assert.ok("us-east-1" in first.ready.keys);
    const put = await runCommand(["put", "people", "ada", "--json"], { cwd: folder.path, stdin: '{"a":1}' });
    assert.equal((JSON.parse(put.stdout) as { wraps: { target: number } }).wraps.target, 4);
    taken.close();
    await until(async () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    assert.equal(await first.stop(), 0);
  });
});
