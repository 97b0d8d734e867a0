/**
 * Packs the library as it is published, installs it into an empty folder, and runs it on several runtimes, each from
 * the npm registry.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

const PACKAGE = join(import.meta.dirname, "..");
const REPOSITORY = join(PACKAGE, "../..");
const run = promisify(execFile);

/** What to install, its program inside node_modules, and what stands before the file to run. */
const RUNTIMES = [
  { name: "node@22", program: "node/bin/node", flags: [] },
  { name: "node@24", program: "node/bin/node", flags: [] },
  { name: "node@26", program: "node/bin/node", flags: [] },
  { name: "bun", program: ".bin/bun", flags: [] },
  { name: "deno", program: ".bin/deno", flags: ["run", "--allow-all"] },
] as const;

describe("the packed library", () => {
  let folder = "";
  let installed = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "envelope-packed-"));
    const built = join(folder, "built");
    await mkdir(built);
    const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [
      tsc,
      "-p",
      PACKAGE,
      "--outDir",
      join(built, "dist"),
      "--tsBuildInfoFile",
      join(folder, "build.tsbuildinfo"),
    ]);
    for (const file of ["package.json", "README.md"]) await copyFile(join(PACKAGE, file), join(built, file));
    await run("npm", ["pack", "--pack-destination", folder], { cwd: built });
    installed = join(folder, "installed");
    await mkdir(installed);
    await writeFile(join(installed, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? assert.fail("nothing was packed");
    await run("npm", ["install", "--offline", join(folder, tarball)], { cwd: installed });
    await copyFile(join(import.meta.dirname, "support/smoke.mjs"), join(installed, "smoke.mjs"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("is one package and brings no other", async () => {
    const packages = (await readdir(join(installed, "node_modules"))).filter((name) => !name.startsWith("."));
    assert.deepEqual(packages, ["@strongroom"]);
    assert.deepEqual(await readdir(join(installed, "node_modules/@strongroom")), ["envelope"]);
  });

  test("publint has nothing to say", async () => {
    const publint = join(REPOSITORY, "node_modules/publint/src/cli.js");
    const { stdout } = await run(process.execPath, [publint, "--strict"], { cwd: join(folder, "built") });
    assert.match(stdout, /All good/);
  });

  test("every entry of its exports is there, with types", async () => {
    const root = join(installed, "node_modules/@strongroom/envelope");
    const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      readonly exports: Record<string, Record<string, string>>;
    };
    for (const { types = "", default: code = "" } of Object.values(exports))
      for (const file of [types, code]) await readFile(join(root, file));
  });

  for (const { name, program, flags } of RUNTIMES) {
    test(`runs on ${name}`, { timeout: 300_000 }, async (t) => {
      const runtime = join(folder, name);
      await mkdir(runtime);
      await writeFile(
        join(runtime, "package.json"),
        JSON.stringify({ private: true, allowScripts: { node: true, bun: true, deno: true } }),
      );
      try {
        await run("npm", ["install", name], { cwd: runtime });
      } catch {
        t.skip(`${name} could not be installed from the registry`);
        return;
      }
      await run(join(runtime, "node_modules", program), [...flags, join(installed, "smoke.mjs")]);
    });
  }
});
