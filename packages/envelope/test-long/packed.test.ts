/**
 * Packs the library as it is published, installs it into an empty folder, and runs it on several runtimes, each from
 * the npm registry. What the package holds is looked over by tests/packages.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { build } from "../../../scripts/packages/build.ts";
import { pack } from "../../../scripts/packages/pack.ts";
import { readPackages } from "../../../scripts/packages/workspace.ts";

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
    build();
    const envelope = readPackages().find(({ name }) => name === "@strongroom/envelope");
    if (envelope === undefined) assert.fail("there is no such package");
    const { tarball } = pack(envelope, folder);
    installed = join(folder, "installed");
    await mkdir(installed);
    await writeFile(join(installed, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await run("npm", ["install", "--offline", tarball], { cwd: installed });
    await copyFile(join(import.meta.dirname, "support/smoke.mjs"), join(installed, "smoke.mjs"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("is one package and brings no other", async () => {
    const packages = (await readdir(join(installed, "node_modules"))).filter((name) => !name.startsWith("."));
    assert.deepEqual(packages, ["@strongroom"]);
    assert.deepEqual(await readdir(join(installed, "node_modules/@strongroom")), ["envelope"]);
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
