import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, readFile, rename, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { settingsIn } from "@strongroom/base/settings";
import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/settings.ts";
import { CliError } from "../../src/errors.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, temporaryFolder } from "../support/installation.ts";

/** Setting -> a value of it. What can run a program, redirect a secret or a record, or weaken a promise needs trust. */
const VALUES: Readonly<Record<string, readonly [value: unknown, needs: "trust" | "nothing"]>> = {
  dataDir: ["elsewhere", "trust"],
  "service.host": ["0.0.0.0", "trust"],
  "service.port": [9999, "trust"],
  "service.hosts": [["evil.example"], "trust"],
  "service.atOnce": [1000, "trust"],
  "service.waiting": [1000, "trust"],
  "service.waitMs": [1000, "trust"],
  "service.perToken": [1000, "trust"],
  "service.findsPerMinute": [1_000_000, "trust"],
  "service.connections": [1000, "trust"],
  "service.receiveMs": [1000, "trust"],
  "service.answerMs": [1000, "trust"],
  "service.stallMs": [1000, "trust"],
  "service.sendMs": [1000, "trust"],
  "service.keepAliveMs": [1000, "trust"],
  "store.url": ["postgres://evil@db.example/records", "trust"],
  "store.passwordFile": ["/home/somebody/password", "trust"],
  "store.caFile": ["/tmp/evil.pem", "trust"],
  "store.schema": ["evil", "trust"],
  "store.poolSize": [20, "nothing"],
  "store.allowUnauthenticatedStore": [true, "trust"],
  "keyStore.url": ["postgres://evil@db.example/keys", "trust"],
  "keyStore.passwordFile": ["/home/somebody/password", "trust"],
  "keyStore.caFile": ["/tmp/evil.pem", "trust"],
  "keyStore.schema": ["evil", "trust"],
  "keyStore.poolSize": [20, "nothing"],
  "keyStore.allowUnauthenticatedStore": [true, "trust"],
  "audit.store": ["/tmp/evil.sqlite", "trust"],
  "audit.passwordFile": ["/home/somebody/password", "trust"],
  "audit.caFile": ["/tmp/evil.pem", "trust"],
  "audit.schema": ["evil", "trust"],
  "audit.poolSize": [20, "nothing"],
  "audit.allowUnauthenticatedStore": [true, "trust"],
  "audit.witness": [[], "trust"],
  "audit.principal": ["somebody", "trust"],
  "audit.retention": [1, "trust"],
  "audit.acceptTailMs": [1000, "trust"],
  collections: [{ people: { subject: "none" } }, "trust"],
  roles: [{ evil: { grants: [{ collection: "*", fields: ["*"], actions: ["read"] }] } }, "trust"],
  "kms.regions": [
    [
      { name: "eu-west-1", port: 1 },
      { name: "eu-west-2", port: 2 },
    ],
    "trust",
  ],
  "kms.rootKey": [{ kind: "command", command: "/bin/sh -c evil" }, "trust"],
  "kms.witness": [{ kind: "url", url: "http://evil.example" }, "trust"],
  "kms.auditDays": [1, "trust"],
  "kms.allowFaults": [true, "trust"],
  "kms.faultsPort": [1234, "trust"],
  "keys.regions": [[{ region: "eu-west-1", endpoint: "http://evil.example", credentialsFile: "/etc/x" }], "trust"],
  "keys.next": [[{ region: "eu-west-1", endpoint: "http://evil.example", credentialsFile: "/etc/x" }], "trust"],
  "keys.generation": [2, "trust"],
  "keys.nextGeneration": [3, "trust"],
  "keys.allowUnauthenticatedKms": [true, "trust"],
  "keys.scope": ["record", "trust"],
  "keys.cacheAgeMs": [1000, "trust"],
  "keys.cacheUses": [10, "trust"],
  "keys.cacheKeys": [10, "trust"],
  "keys.minimum": [1, "trust"],
  "keys.target": [1, "trust"],
  "keys.proveWraps": ["off", "trust"],
  "keys.fourEyes": [false, "trust"],
  "keys.cryptoperiodDays": [36_500, "trust"],
  "keys.attemptTimeoutMs": [700, "nothing"],
  "keys.deadlineMs": [3000, "nothing"],
  "keys.stragglerMinMs": [300, "nothing"],
  "repair.enabled": [false, "trust"],
  "repair.itemsPerSecond": [1, "nothing"],
  "repair.atOnce": [1, "nothing"],
  "repair.intervalMs": [1000, "nothing"],
  "repair.leaseMs": [1000, "nothing"],
  "client.url": ["https://evil.example", "trust"],
  "client.tokenFile": ["/home/somebody/token", "trust"],
  "client.timeoutMs": [1000, "nothing"],
  "client.allowPlainHttp": [true, "trust"],
  "log.level": ["warn", "nothing"],
};

function fileOf(path: string, value: unknown): string {
  return JSON.stringify(path.split(".").reduceRight((inner: unknown, name) => ({ [name]: inner }), value));
}

/** A present folder and a home, apart. */
interface World {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly config: string;
}

async function world(folder: string, name = "strongroom.config.json"): Promise<World> {
  const cwd = join(folder, "here");
  await mkdir(cwd, { mode: 0o755 });
  await mkdir(join(folder, "home"), { mode: 0o700 });
  return { cwd, env: { HOME: join(folder, "home") }, config: join(cwd, name) };
}

async function load(
  { cwd, env }: World,
  more: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig | CliError> {
  try {
    return await loadConfig({ cwd, env: { ...env, ...more } });
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    return error;
  }
}

const codeOf = (loaded: LoadedConfig | CliError): string => (loaded instanceof CliError ? loaded.code : "taken");

const trusting = ({ cwd, env }: World, ...args: readonly string[]): Promise<Ended> =>
  runCommand(["trust", ...args], { cwd, env });

describe("a configuration that was only found", () => {
  it("is a file of some length: no pipe and no device is read", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    execFileSync("mkfifo", [here.config]);
    assert.equal(codeOf(await load(here)), "config-unreadable");
    await rm(here.config);
    await symlink("/dev/zero", here.config);
    assert.equal(codeOf(await load(here)), "config-unreadable");
    await rm(here.config);
    await writeFile(here.config, `${" ".repeat(1024 * 1024)}{}`);
    for (const named of [{}, { STRONGROOM_CONFIG: here.config }])
      assert.equal(codeOf(await load(here, named)), "config-unreadable");
  });

  it("has every setting in this table", () => {
    assert.deepEqual(
      Object.keys(VALUES),
      settingsIn({ ...SETTINGS }).map(({ path }) => path),
    );
  });

  for (const [path, [value, needs]] of Object.entries(VALUES))
    it(`may ${needs === "trust" ? "not " : ""}say ${path}, and may when it is named, or trusted as it is`, async () => {
      await using folder = await temporaryFolder();
      const here = await world(folder.path);
      await writeFile(here.config, fileOf(path, value));
      const found = await load(here);
      if (needs === "trust") {
        assert.ok(found instanceof CliError);
        assert.deepEqual([found.code, found.outcome], ["config-not-trusted", "usage"]);
        assert.ok(found.problems.some((problem) => problem.startsWith(path)));
      } else assert.equal(codeOf(found), "taken");
      assert.equal(codeOf(await load(here, { STRONGROOM_CONFIG: here.config })), "taken");
      assert.equal((await trusting(here)).code, 0);
      assert.equal(codeOf(await load(here)), "taken");
      await writeFile(here.config, `${fileOf(path, value)} `);
      assert.equal(codeOf(await load(here)), needs === "trust" ? "config-not-trusted" : "taken");
    });

  for (const name of ["strongroom.config.js", "strongroom.config.mjs", "strongroom.config.ts"])
    it(`is not run: ${name}`, async () => {
      await using folder = await temporaryFolder();
      const here = await world(folder.path, name);
      const mark = join(folder.path, "it-ran");
      await writeFile(
        here.config,
        `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(mark)}, ""); export default {};`,
      );
      for (const args of [["list"], ["doctor"], ["up"], ["kms", "health"], ["token", "list"], ["trust", "--forget"]]) {
        const { code } = await runCommand(args, here);
        assert.equal(code, args[0] === "trust" ? 0 : 2, args.join(" "));
      }
      await assert.rejects(stat(mark));
      assert.equal((await trusting(here)).code, 0);
      await assert.rejects(stat(mark));
      assert.equal(codeOf(await load(here)), "taken");
      await stat(mark);
    });

  it("does no harm where a flag or a variable has the last word", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    await writeFile(here.config, fileOf("client.url", "https://evil.example"));
    const loaded = await load(here, { STRONGROOM_URL: "https://vault.example" });
    assert.ok(!(loaded instanceof CliError));
    assert.equal(loaded.config.client.url, "https://vault.example");
  });
});

describe("a configuration that others may change", () => {
  const COMMAND = fileOf("kms.rootKey", { kind: "command", command: "x" });

  it("is refused for what can do harm, also when it was trusted or named", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    await writeFile(here.config, COMMAND);
    await trusting(here);
    for (const mode of [0o666, 0o620, 0o602]) {
      await chmod(here.config, mode);
      for (const env of [{}, { STRONGROOM_CONFIG: here.config }])
        assert.equal(codeOf(await load(here, env)), "config-not-trusted", mode.toString(8));
      assert.equal((await trusting(here)).code, 2);
    }
    await chmod(here.config, 0o644);
    assert.equal(codeOf(await load(here)), "taken");
    await chmod(here.cwd, 0o777);
    for (const env of [{}, { STRONGROOM_CONFIG: here.config }])
      assert.equal(codeOf(await load(here, env)), "config-not-trusted");
  });

  it("is refused when it is another's, unless it was named", { skip: process.geteuid?.() !== 0 }, async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    await writeFile(here.config, COMMAND);
    await trusting(here);
    await chown(here.config, 65_534, 65_534);
    assert.equal(codeOf(await load(here)), "config-not-trusted");
    assert.equal(codeOf(await load(here, { STRONGROOM_CONFIG: here.config })), "taken");
  });
});

describe("what is trusted", () => {
  it("is a path and a content: not a copy elsewhere, not what a link leads to later; and can be forgotten", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    const real = join(folder.path, "real.json");
    await writeFile(real, fileOf("client.url", "https://vault.example"));
    await symlink(real, here.config);
    assert.match((await trusting(here)).stdout, /real\.json is trusted as it is now/);
    assert.equal(codeOf(await load(here)), "taken");
    await unlink(here.config);
    await writeFile(here.config, await readFile(real));
    assert.equal(codeOf(await load(here)), "config-not-trusted");
    await trusting(here);
    assert.equal(codeOf(await load(here)), "taken");
    assert.match((await trusting(here, "--forget")).stdout, /no longer trusted/);
    assert.equal(codeOf(await load(here)), "config-not-trusted");
    assert.match((await trusting(here, "--forget")).stdout, /was not trusted/);
  });

  it("stands in a file of its owner's, which others may not change", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    await writeFile(here.config, fileOf("dataDir", "x"));
    await trusting(here);
    const list = join(folder.path, "home", ".config", "strongroom", "trusted.json");
    assert.equal((await stat(list)).mode & 0o777, 0o600);
    await chmod(list, 0o666);
    assert.equal(codeOf(await load(here)), "file-permissions");
    await chmod(list, 0o600);
    await rename(list, `${list}.away`);
    await writeFile(list, "{", { mode: 0o600 });
    assert.equal(codeOf(await load(here)), "config-unreadable");
  });

  it("is never looked for below the present folder", async () => {
    await using folder = await temporaryFolder();
    const here = await world(folder.path);
    await writeFile(here.config, fileOf("dataDir", "x"));
    for (const env of [{ XDG_CONFIG_HOME: "." }, { XDG_CONFIG_HOME: "config", HOME: "" }]) {
      await runCommand(["trust"], { cwd: here.cwd, env: { ...here.env, ...env, HOME: here.env["HOME"] ?? "" } });
      await assert.rejects(stat(join(here.cwd, "strongroom")));
      await assert.rejects(stat(join(here.cwd, "config")));
    }
  });

  it("says that there is nothing to trust", async () => {
    await using folder = await temporaryFolder();
    const { code, stderr } = await trusting(await world(folder.path));
    assert.equal(code, 2);
    assert.match(stderr, /no configuration file/);
  });
});
