// An attacker's item: another process of this machine takes the place of the KMS while that starts again.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../support/command.ts";
import { startInstallation, temporaryFolder, until } from "../support/installation.ts";

/** A server on each of these ports, as soon as it can be had, that answers as a KMS would and notes what it was sent. */
class FalseKms {
  readonly requests: string[] = [];
  readonly plaintextKeys: string[] = [];
  readonly #servers: Server[] = [];
  #ended = false;

  constructor(endpoints: readonly string[]) {
    for (const endpoint of endpoints) void this.#take(Number(new URL(endpoint).port));
  }

  get ports(): number {
    return this.#servers.length;
  }

  async #take(port: number): Promise<void> {
    while (!this.#ended) {
      const server = createServer((request, response) => {
        const body: Buffer[] = [];
        request.on("data", (chunk: Buffer) => body.push(chunk));
        request.on("end", () => {
          const target = String(request.headers["x-amz-target"] ?? request.method);
          this.requests.push(target);
          const input = JSON.parse(Buffer.concat(body).toString("utf8") || "{}") as Record<string, unknown>;
          if (target.endsWith(".Encrypt")) this.plaintextKeys.push(String(input["Plaintext"]));
          const answer = {
            KeyId: input["KeyId"],
            CiphertextBlob: randomBytes(200).toString("base64"),
            Plaintext: randomBytes(32).toString("base64"),
          };
          response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answer));
        });
      });
      server.listen(port, "127.0.0.1");
      const isTaken = await once(server, "listening").then(
        () => true,
        () => false,
      );
      if (isTaken) {
        this.#servers.push(server);
        return;
      }
      await sleep(1);
    }
  }

  close(): void {
    this.#ended = true;
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

const NAMES = ["ada", "bob", "cem", "dan", "eva", "fay"] as const;

describe("a false KMS that takes the place of the one of strongroom up while that starts again", () => {
  it("is sent no request and no key, and every write that is acknowledged opens in each region alone", async (t) => {
    await using folder = await temporaryFolder();
    const up = await startInstallation(folder.path);
    const regions = Object.keys(up.ready.regions);
    const impostor = new FalseKms(Object.values(up.ready.regions));
    t.after(async () => {
      impostor.close();
      await up.stop();
    });
    process.kill(up.ready.kmsPid, "SIGKILL");
    await until(() => impostor.ports === regions.length);
    const acknowledged: string[] = [];
    for (const name of NAMES) {
      await until(
        async () => (await runCommand(["put", "people", name], { cwd: folder.path, stdin: "{}" })).code === 0,
      );
      acknowledged.push(name);
    }
    assert.deepEqual(impostor.plaintextKeys, []);
    assert.deepEqual(impostor.requests, []);
    assert.match(await readFile(join(up.ready.dataDir, "strongroom.log"), "utf8"), /"kind":"restarted"/);
    // What was owed while the regions started is paid; then each opens everything alone.
    await until(async () => {
      const { stdout } = await runCommand(["regions", "--json"], { cwd: folder.path });
      return (JSON.parse(stdout) as { wrapDebt: { items: number } }).wrapDebt.items === 0;
    });
    for (const alone of regions) {
      for (const other of regions) if (other !== alone) await up.region(other, "stop");
      for (const name of acknowledged) {
        const { code, stderr } = await runCommand(["get", "people", name], { cwd: folder.path });
        assert.equal(code, 0, `${name} by ${alone} alone: ${stderr}`);
      }
      for (const other of regions) if (other !== alone) await up.region(other, "start");
    }
    assert.deepEqual(impostor.requests, []);
    assert.equal(await up.stop(), 0);
  });

  it("as another user cannot take a socket's place", { skip: process.getuid?.() !== 0 && "needs root" }, async (t) => {
    await using folder = await temporaryFolder();
    const up = await startInstallation(folder.path);
    t.after(() => up.stop());
    const socket = Object.values(up.ready.regionSockets)[0] ?? "";
    assert.equal(dirname(socket), join(up.ready.dataDir, "kms", "sockets"));
    const attempts = {
      remove: `require("node:fs").unlinkSync(${JSON.stringify(socket)})`,
      listen: `require("node:net").createServer().listen(${JSON.stringify(`${socket}2`)})`,
      connect: `require("node:net").connect(${JSON.stringify(socket)}).on("connect", () => process.exit(0))`,
      look: `require("node:fs").readdirSync(${JSON.stringify(dirname(socket))})`,
    };
    for (const [what, script] of Object.entries(attempts)) {
      const { status, stderr } = spawnSync(process.execPath, ["-e", script], { uid: 65_534, gid: 65_534, cwd: "/" });
      assert.notEqual(status, 0, what);
      assert.match(String(stderr), /EACCES/, what);
    }
    assert.equal(await up.stop(), 0);
  });
});
