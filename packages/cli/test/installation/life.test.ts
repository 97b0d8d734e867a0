import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { controlHeader } from "../../src/drill/control-port.ts";
import { runCommand } from "../support/command.ts";
import {
  gather,
  isRunning,
  runProcess,
  spawnCommand,
  startInstallation,
  temporaryFolder,
  until,
} from "../support/installation.ts";

const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;
const FREE = ["--port", "0", ...REGIONS.flatMap((name) => ["--region", `${name}=0`])];

/** Every file below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("strongroom up", () => {
  it("finds everything again: after an orderly end, after the KMS was killed, after it was killed itself", async () => {
    await using folder = await temporaryFolder();
    const first = await startInstallation(folder.path);
    const { dataDir, tokenFile, keys } = first.ready;
    assert.deepEqual([...first.ready.keysMade].sort(), [...REGIONS].sort());
    await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: '{"a":1}' });
    for (const path of [dataDir, ...(await filesBelow(dataDir))])
      assert.equal((await stat(path)).mode & 0o077, 0, path);
    assert.deepEqual((JSON.parse(await readFile(join(dataDir, "keys.json"), "utf8")) as { keys: unknown }).keys, keys);
    const token = (await readFile(tokenFile, "utf8")).trim();
    assert.equal(await first.stop(), 0);
    assert.equal(await isRunning(first.ready.kmsPid), false);
    assert.equal(
      (await filesBelow(dataDir)).some((path) => path.endsWith("running.json")),
      false,
    );

    // The list of keys lost: they are found by their alias, none is made. The token lost: a new one is made, the old
    // one refused.
    await rm(join(dataDir, "keys.json"));
    await rm(tokenFile);
    const second = await startInstallation(folder.path);
    assert.deepEqual(second.ready.keys, keys);
    assert.deepEqual(second.ready.keysMade, []);
    assert.equal((await runCommand(["get", "people", "ada"], { cwd: folder.path })).stdout, '{"a":1}\n');
    assert.equal((await runCommand(["list"], { cwd: folder.path, env: { STRONGROOM_TOKEN: token } })).code, 6);

    const third = await runProcess(["up", ...FREE], folder.path);
    assert.equal(third.code, 2);
    assert.match(third.stderr, /\[data-dir-in-use\]/);

    process.kill(second.ready.kmsPid, "SIGKILL");
    await until(async () => (await runCommand(["get", "people", "ada"], { cwd: folder.path })).code === 0);
    await until(async () => (await runCommand(["put", "people", "bob"], { cwd: folder.path, stdin: "{}" })).code === 0);

    second.process.kill("SIGKILL");
    await once(second.process, "exit");
    const ports = Object.entries(second.ready.regions).flatMap(([name, url]) => [
      "--region",
      `${name}=${new URL(url).port}`,
    ]);
    const child = spawnCommand(["up", "--json", "--port", new URL(second.ready.url).port, ...ports], folder.path);
    const ready = gather(child.stdout);
    const said = gather(child.stderr);
    await until(() => ready().includes("\n") || child.exitCode !== null);
    assert.equal(said(), "");
    assert.equal((await runCommand(["get", "people", "ada"], { cwd: folder.path })).stdout, '{"a":1}\n');
    // One Ctrl-C under npm: the terminal sends it, and npm passes it on.
    child.kill("SIGINT");
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  });

  it("shows a page whose commands work, in plain text when it is piped", async () => {
    await using folder = await temporaryFolder();
    const child = spawnCommand(["up", ...FREE, "--allow-faults", "--faults-port", "0"], folder.path);
    const page = gather(child.stdout);
    await until(() => page().includes("Ctrl-C"));
    assert.doesNotMatch(page(), /\u001b/);
    const shown = page()
      .split("\n")
      .map((line) => line.trim());
    const [, document = "", put = ""] = /^echo '(.*)' \| npx strongroom (.*)$/m.exec(shown.join("\n")) ?? [];
    assert.equal((await runCommand(put.split(" "), { cwd: folder.path, stdin: document })).code, 0);
    const [, headerFile = "", url = ""] = /^curl -H @(\S+) (\S+)$/m.exec(shown.join("\n")) ?? [];
    const [name = "", value = ""] = (await readFile(join(folder.path, headerFile), "utf8")).trim().split(": ");
    assert.equal(await (await fetch(url, { headers: { [name]: value } })).text(), document);
    const faults = shown.flatMap((line) => {
      const [, file, at] = /^curl -H @(\S+) -X POST (\S+)$/.exec(line) ?? [];
      return file === undefined || at === undefined ? [] : [{ file: join(folder.path, file), at }];
    });
    assert.equal(faults.length, 2);
    const order = async ({ file, at }: { readonly file: string; readonly at: string }): Promise<number> =>
      (await fetch(at, { method: "POST", headers: await controlHeader(file) })).status;
    for (const fault of faults) assert.equal(await order(fault), 200, fault.at);
    const commands = shown.filter((line) => line.startsWith("npx strongroom "));
    assert.ok(commands.length >= 3);
    for (const line of commands) {
      const { code, stderr } = await runCommand(line.split(" ").slice(2), { cwd: folder.path });
      assert.equal(code, 0, `${line}\n${stderr}`);
    }

    // With a region away the doctor says which, and what to do.
    assert.equal(await order(faults[0]!), 200);
    const { code, stdout } = await runCommand(["doctor", "--json"], { cwd: folder.path });
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout) as { findings: { what: string; severity: string; remedy?: string }[] };
    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure").map(({ what }) => what),
      ["Region eu-west-1"],
    );
    assert.ok(findings.every(({ severity, remedy }) => severity === "ok" || (remedy ?? "") !== ""));
    child.kill("SIGINT");
    const [exit] = (await once(child, "exit")) as [number | null];
    assert.equal(exit, 0);
  });
});

describe("strongroom up refuses, with exit code 2 and what to do,", () => {
  it("ports in use, data of a newer version, and a wrong root key", async () => {
    await using folder = await temporaryFolder();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const up = async (args: readonly string[], says: RegExp): Promise<void> => {
      const regions = args.includes("--region") ? ["--port", "0"] : FREE;
      const { code, stderr } = await runProcess(["up", ...regions, ...args], folder.path);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    };
    await up(["--port", String(port)], new RegExp(`\\[port-in-use\\][^]*127\\.0\\.0\\.1:${port}[^]*--port N`));
    // A KMS of which no region has a port; hung.test.ts has the one where some have.
    await up(["--region", `us-east-1=${port}`], new RegExp(`\\[port-in-use\\][^]*${port}[^]*--region NAME=PORT`));
    other.close();
    const data = join(folder.path, "strongroom-data");
    // Nothing was made for a service that cannot listen.
    for (const made of ["keys.json", "token", "records.sqlite"])
      assert.equal(existsSync(join(data, made)), false, made);
    await (await startInstallation(folder.path)).stop();

    for (const name of ["records.sqlite", "keys.sqlite", "audit.sqlite", join("kms", "kms.sqlite")]) {
      const file = join(data, name);
      sql(file, "INSERT INTO kysely_migration VALUES ('9999-of-a-later-version', '2030-01-01T00:00:00.000Z')");
      await up([], /newer version/);
      sql(file, "DELETE FROM kysely_migration WHERE name LIKE '9999%'");
    }
    await writeFile(join(data, "kms", "root.key"), `${"ab".repeat(32)}\n`);
    await up([], /\[root-key-wrong\]/);
    await writeFile(join(data, "keys.json"), '{"format":5,"keys":{}}');
    await up([], /\[data-dir-newer\][^]*keys\.json/);
  });

  it("a folder that is a file, or lies where nothing may be written", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "file"), "");
    for (const path of ["file", "/proc/strongroom"]) {
      const { code, stderr } = await runCommand(["up", ...FREE, "--data-dir", path], { cwd: folder.path });
      assert.equal(code, 2);
      assert.match(stderr, /\[data-dir-unusable\]/);
    }
  });
});

describe("strongroom kms serve", () => {
  it("opens with the passphrase it was made with, and refuses another without showing either", async () => {
    await using folder = await temporaryFolder();
    const args = ["kms", "serve", "--json", "--region", "eu-west-1=0", "--passphrase-file", "passphrase"];
    await writeFile(join(folder.path, "passphrase"), "correct horse\n", { mode: 0o600 });
    const child = spawnCommand(args, folder.path);
    const ready = gather(child.stdout);
    await until(() => ready().includes("\n") || child.exitCode !== null);
    assert.match(ready(), /"endpoints":\{"eu-west-1":"http:/);
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
    await writeFile(join(folder.path, "passphrase"), "wrong horse\n");
    const refused = await runCommand(args, { cwd: folder.path });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /root-key-wrong/);
    assert.doesNotMatch(refused.stderr, /horse/);
  });
});

describe("strongroom doctor", () => {
  it("exits 1 for files that are open to others, and says how to close them", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "strongroom-data"), { mode: 0o700 });
    const path = join(folder.path, "strongroom-data", "tokens.json");
    await writeFile(path, "{}");
    await chmod(path, 0o644);
    const { code, stdout, stderr } = await runCommand(["doctor"], { cwd: folder.path });
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}Data folder +open to other users: .*tokens\.json\n +chmod -R go-rwx/);
    assert.match(stderr, /\[checks-failed\]/);
  });
});

function sql(path: string, statement: string): void {
  const database = new DatabaseSync(path);
  database.exec(statement);
  database.close();
}
