import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import { runProgram } from "@strongroom/base/command";
import { settingsIn } from "@strongroom/base/settings";
import { KMS_COMMANDS, KMS_PROGRAM, loadKmsSettings } from "@strongroom/kms/command";
import { SETTINGS } from "../../src/config/settings.ts";
import { runCommand } from "../support/command.ts";
import {
  type Ended,
  gather,
  spawnCommand,
  startInstallation,
  temporaryFolder,
  until,
} from "../support/installation.ts";

/** Runs `strongroom-kms` as `runCommand` runs `strongroom`. */
async function runKms(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [written, said] = [gather(stdout), gather(stderr)];
  const streams = {
    stdin: Readable.from([]),
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  };
  const signal = new AbortController().signal;
  const code = await runProgram(KMS_PROGRAM, args, { streams, env, cwd, signal });
  return { code, stdout: written(), stderr: said() };
}

const optionsIn = (help: string): readonly string[] =>
  [...help.matchAll(/^ {2}(-.*?)(?: {2,}|$)/gm)].map(([, flags = ""]) => flags);

describe("strongroom kms and strongroom-kms", () => {
  for (const { name } of KMS_COMMANDS) {
    it(`have the same ${name}`, async () => {
      const words = name.split(" ");
      const mounted = await runCommand(["kms", ...words, "--help"], { cwd: "/" });
      const alone = await runKms([...words, "--help"], "/");
      assert.deepEqual([mounted.code, alone.code], [0, 0]);
      assert.deepEqual(
        optionsIn(mounted.stdout).filter((flags) => flags !== "--config <file>"),
        optionsIn(alone.stdout),
      );
      assert.match(mounted.stdout, new RegExp(`npx strongroom kms ${name}\\b`));
      assert.doesNotMatch(mounted.stdout, /@strongroom\/kms/);
    });
  }

  it("end with the same errors and exit codes", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "open.txt"), "x\n", { mode: 0o644 });
    for (const args of [
      ["serve", "--faults-port", "x"],
      ["serve", "--region", "a b"],
      ["serve", "--faults-port", "1"],
      ["serve", "--root-key-file", "a", "--passphrase-file", "b"],
      ["serve", "--data-dir", "open.txt"],
      ["audit", "verify", "--passphrase-file", "open.txt"],
      ["backup", "x", "--data-dir", "nowhere"],
      ["policy", "test", "--key", "x", "--principal", "p", "--action", "Decrypt", "--data-dir", "nowhere"],
      ["restore", "nowhere"],
      ["srve"],
    ]) {
      const mounted = await runCommand(["kms", ...args, "--json"], { cwd: folder.path });
      const alone = await runKms([...args, "--json"], folder.path);
      assert.equal(mounted.stderr.replaceAll("strongroom-data/kms", "strongroom-kms-data"), alone.stderr);
      assert.equal(mounted.code, alone.code);
      assert.ok(mounted.code !== 0 && !mounted.stderr.includes("unexpected"), `${args.join(" ")}: ${mounted.stderr}`);
    }
  });

  it("refuse an installation's folder for the KMS's own, and name that", async () => {
    await using folder = await temporaryFolder();
    const seed = join(folder.path, "seed.json");
    await writeFile(seed, '{"keys":[]}');
    assert.equal((await runKms(["seed", seed, "--data-dir", "data/kms"], folder.path)).code, 0);
    const inside = join(folder.path, "data", "kms");
    for (const run of [
      await runCommand(["kms", "audit", "verify", "--data-dir", "data"], { cwd: folder.path }),
      await runKms(["audit", "verify"], folder.path, { STRONGROOM_KMS_DATA_DIR: "data" }),
    ]) {
      assert.equal(run.code, 2);
      assert.match(run.stderr, /\[data-dir-of-installation\]/);
      assert.ok(run.stderr.includes(`Give --data-dir ${inside}.`), run.stderr);
    }
    assert.equal((await runKms(["audit", "verify", "--data-dir", inside], folder.path)).code, 0);
    // A KMS whose own folder has one named kms in it is none of that.
    await mkdir(join(folder.path, "own"));
    await rename(inside, join(folder.path, "own", "kms"));
    assert.equal((await runKms(["seed", seed, "--data-dir", "own/kms/kms"], folder.path)).code, 0);
    assert.equal((await runKms(["audit", "verify", "--data-dir", "own/kms"], folder.path)).code, 0);
  });

  it("take the variables of an installation for no mistake, and their own for their own", () => {
    const all = settingsIn({ ...SETTINGS }).flatMap(({ setting }) => setting.ways.map(({ env }) => env));
    const given = { cwd: "/", file: undefined, flags: [] };
    const others = all.filter((name) => !/ROOT_KEY|PASSPHRASE|KMS_|FAULTS|LOG/.test(name));
    const env = Object.fromEntries([...others, "STRONGROOM_TOKEN", "STRONGROOM_CONFIG"].map((name) => [name, "x"]));
    assert.equal(loadKmsSettings({ ...given, env }).regions.length, 3);
    const own = loadKmsSettings({
      ...given,
      env: { STRONGROOM_KMS_REGIONS: "eu-west-1, us-east-1=7", STRONGROOM_ROOT_KEY_COMMAND: "pass show it" },
    });
    assert.deepEqual(own.regions, [
      { name: "eu-west-1", port: 0 },
      { name: "us-east-1", port: 7 },
    ]);
    assert.deepEqual(own.rootKey, { kind: "command", command: "pass show it" });
    assert.throws(() => loadKmsSettings({ ...given, env: { STRONGROOM_KMS_REGION: "a" } }), /did you mean/);
  });
});

describe("strongroom kms", () => {
  it("finds the KMS that up made, with the settings of the configuration", async () => {
    await using folder = await temporaryFolder();
    const installation = await startInstallation(folder.path);
    try {
      assert.match((await runCommand(["kms", "audit", "verify"], { cwd: folder.path })).stdout, /is whole/);
      const backup = await runCommand(["kms", "backup", join(folder.path, "x.backup"), "--json"], {
        cwd: folder.path,
        env: { STRONGROOM_DATA_DIR: "strongroom-data" },
      });
      assert.equal((JSON.parse(backup.stdout) as { keys: number }).keys, 6, "for records and for people");
      const again = await runCommand(["kms", "serve", "--region", "eu-west-1"], { cwd: folder.path });
      assert.equal(again.code, 2);
      assert.match(again.stderr, /\[data-dir-in-use\]/);
    } finally {
      assert.equal(await installation.stop(), 0);
    }
    // The regions and the control port are those of the configuration; its other settings are no matter of the KMS.
    const config = { kms: { regions: [{ name: "us-east-1", port: 0 }], allowFaults: true, faultsPort: 0 } };
    await writeFile(join(folder.path, "strongroom.config.json"), JSON.stringify(config));
    const child = spawnCommand(["kms", "serve", "--json", "--config", "strongroom.config.json"], folder.path);
    const ready = gather(child.stdout);
    await until(() => ready().includes("\n") || child.exitCode !== null);
    const { endpoints, faultsEndpoint, credentialsFile } = JSON.parse(ready()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(endpoints as object), ["us-east-1"]);
    assert.match(String(faultsEndpoint), /^http:/);
    assert.equal(credentialsFile, join(folder.path, "strongroom-data", "kms", "credentials.json"));
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  });
});
