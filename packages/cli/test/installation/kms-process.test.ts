// How the service reaches the KMS that `up` runs, where the data folder has no room for sockets.
import assert from "node:assert/strict";
import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { kmsClient } from "../../src/installation/keyring.ts";
import { type KmsEvent, startKmsProcess } from "../../src/installation/kms-process.ts";
import { runCommand } from "../support/command.ts";
import { startInstallation, temporaryFolder, until } from "../support/installation.ts";

describe("the way to the KMS of strongroom up", () => {
  it("is in a private folder of its own where the data folder lies too deep, as long as it runs", async (t) => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, "d".repeat(60), "e".repeat(60));
    const at = ["--data-dir", dataDir];
    const up = await startInstallation(folder.path, at);
    t.after(() => up.stop());
    const sockets = dirname(Object.values(up.ready.regionSockets)[0] ?? "");
    assert.ok(!sockets.startsWith(folder.path) && sockets.length < 80, sockets);
    assert.equal(statSync(sockets).mode & 0o777, 0o700);
    const put = await runCommand(["put", "people", "ada", "--json", ...at], { cwd: folder.path, stdin: "{}" });
    assert.equal((JSON.parse(put.stdout) as { wraps: { stored: number } }).wraps.stored, 3);
    const doctor = await runCommand(["doctor", ...at], { cwd: folder.path });
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.equal(await up.stop(), 0);
    assert.equal(existsSync(sockets), false);
  });

  it("is TLS with a pinned certificate where there are no sockets, the same after the KMS was killed", async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, "kms");
    mkdirSync(dataDir, { mode: 0o700 });
    const logFd = openSync(join(folder.path, "log"), "a");
    const events: KmsEvent[] = [];
    const kms = await startKmsProcess({
      dataDir,
      socketDir: null,
      regions: [{ name: "eu-west-1", port: 0 }],
      rootKey: { kind: "file" },
      auditDays: 0,
      faultsPort: null,
      logFd,
      logLevel: "warn",
      signal: new AbortController().signal,
      onEvent: (event) => {
        events.push(event);
      },
    });
    try {
      assert.deepEqual(kms.sockets, {});
      const { tlsFingerprint } = kms;
      assert.ok(tlsFingerprint !== null);
      const place = { region: "eu-west-1", endpoint: kms.endpoints["eu-west-1"], tlsFingerprint };
      const client = await kmsClient({ ...place, credentialsFile: join(dataDir, "operator-credentials.json") });
      await client.createKey({});
      process.kill(kms.pid() ?? 0, "SIGKILL");
      await until(() => events.some(({ kind }) => kind === "restarted"));
      assert.equal((await client.listKeys({})).Keys?.length, 1);
      client.destroy();
      // Without what its process said over the channel, it is not believed.
      await assert.rejects(kmsClient({ region: "eu-west-1", endpoint: "http://127.0.0.1:1" }));
    } finally {
      await kms.close();
      closeSync(logFd);
    }
  });
});
