// `serve --emulator` and what the other commands say of it.

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { run, runJson } from "../command/run.ts";
import { serving } from "../command/serving.ts";
import { temporaryDirectory } from "../running-kms.ts";

test("serve --emulator warns, serves every region on one port, and leaves nothing", async (t) => {
  const directory = await temporaryDirectory(t);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = directory;
  const server = await serving(t, "--emulator", "--port", "0").finally(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  assert.match(server.stderr(), /\*\*\* EMULATOR: no signature is checked\..*For tests only\. \*\*\*/);
  const endpoint = server.emulatorEndpoint!;
  const client = new KMS({ region: "sa-east-1", endpoint, credentials: { accessKeyId: "x", secretAccessKey: "x" } });
  assert.match((await client.createKey({})).KeyMetadata!.Arn!, /:sa-east-1:/);
  client.destroy();
  assert.deepEqual(await runJson("health", endpoint), {
    exit: 0,
    json: { regions: [{ url: endpoint, state: "up", mode: "emulator" }] },
  });
  assert.match((await run("health", endpoint)).stdout, /EMULATOR: checks no signature/);
  assert.equal(await server.end("SIGTERM"), 0);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith("strongroom-kms-")),
    [],
  );
});

test("serve --emulator keeps a folder of its own only when one is given, and takes no server's", async (t) => {
  const directory = await temporaryDirectory(t);
  const [own, servers] = [join(directory, "own"), join(directory, "servers")];
  const first = await serving(t, "--emulator", "--port", "0", "--data-dir", own);
  await first.end();
  assert.ok(existsSync(join(own, "emulator-root.key")));
  const server = await serving(t, "--data-dir", servers);
  await server.end();
  const code = async (...argv: string[]): Promise<unknown> => {
    const { exit, json } = await runJson("serve", ...argv);
    return [exit, (json["error"] as { code: string }).code];
  };
  assert.deepEqual(await code("--emulator", "--data-dir", servers), [5, "data-dir-not-of-emulator"]);
  assert.deepEqual(await code("--data-dir", own), [5, "data-dir-of-emulator"]);
});

test("what does not go with --emulator is named", async (t) => {
  const directory = mkdtempSync(join(await temporaryDirectory(t), "x"));
  const key = join(directory, "root.key");
  writeFileSync(key, `${"01".repeat(32)}\n`, { mode: 0o600 });
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["--emulator", "--host", "0.0.0.0"], /host: an emulator listens on 127\.0\.0\.1, localhost, ::1 and nowhere else/],
    [["--emulator", "--root-key-file", key], /--emulator makes a root key of its own/],
    [["--emulator", "--passphrase-file", join(directory, "none")], /--emulator makes a root key of its own/],
    [["--emulator", "--allow-faults"], /allowFaults: an emulator/],
    [["--port", "4566"], /--port needs --emulator/],
    [["--emulator", "--port", "70000"], /--port must be a whole number from 0 to 65535/],
  ];
  for (const [argv, message] of cases) {
    const { exit, stderr } = await run("serve", ...argv);
    assert.equal(exit, 2, argv.join(" "));
    assert.match(stderr, message);
  }
});

test("a principals file that others may read is taken with --allow-readable-principals only", async (t) => {
  const directory = await temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const principals = join(directory, "principals.json");
  const arn = "arn:aws:iam::000000000000:user/ann";
  const accessKeys = [{ accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "x".repeat(40) }];
  writeFileSync(principals, JSON.stringify({ principals: [{ arn, accessKeys }] }));
  chmodSync(principals, 0o644);
  const policy = join(directory, "policy.json");
  const Statement = [{ Effect: "Allow", Principal: { AWS: arn }, Action: "kms:Decrypt", Resource: "*" }];
  writeFileSync(policy, JSON.stringify({ Statement }));
  const ask = (...argv: string[]): ReturnType<typeof run> =>
    run(
      "policy",
      "test",
      "--policy",
      policy,
      "--principal",
      arn,
      "--action",
      "Decrypt",
      "--principals",
      principals,
      ...argv,
    );
  const refused = await ask();
  assert.equal(refused.exit, 2);
  assert.match(refused.stderr, /mode 644 lets others read it, and no folder above it is yours alone \(mode 700\)/);
  assert.match(refused.stderr, /chmod 600 FILE; or close the folder .*, or give --allow-readable-principals/);
  assert.equal((await ask("--allow-readable-principals")).exit, 0);
  const server = await serving(t, "--temporary", "--principals", principals, "--allow-readable-principals");
  await server.end();
  chmodSync(principals, 0o666);
  assert.match((await ask("--allow-readable-principals")).stderr, /mode 666 lets others change it/);
});
