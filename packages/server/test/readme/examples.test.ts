/**
 * Every function that the package's entry point exports has an `@example`, and every example runs as it stands.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as server from "@strongroom/server";
import { defer } from "../support/defer.ts";

const SOURCES = new URL("../../src/", import.meta.url);
const MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
const EXAMPLE = / \* @example\n \* ```ts\n([^]*?) \* ```/g;
const run = promisify(execFile);

async function sources(): Promise<string> {
  const files = (await readdir(SOURCES, { recursive: true })).filter((file) => file.endsWith(".ts"));
  return (await Promise.all(files.map((file) => readFile(new URL(file, SOURCES), "utf8")))).join("\n");
}

test("every exported function and class has an example", async () => {
  const text = await sources();
  for (const [name, exported] of Object.entries(server)) {
    if (typeof exported !== "function") continue;
    const documented = new RegExp(`@example\\n(?: \\*.*\\n)* \\*/\\nexport (?:async )?(?:function|class) ${name}\\b`);
    assert.ok(documented.test(text), name);
  }
});

test("every example runs", async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), "strongroom-examples-"));
  defer(t, () => rm(cwd, { recursive: true, force: true }));
  await symlink(MODULES, join(cwd, "node_modules"));
  const examples = [...(await sources()).matchAll(EXAMPLE)].map(([, code = ""]) => code.replaceAll(/^ \* ?/gm, ""));
  assert.ok(examples.length > 0);
  for (const [index, code] of examples.entries()) {
    const file = join(cwd, `example-${index}.mts`);
    await writeFile(file, code);
    const { stdout } = await run(process.execPath, ["--conditions=@strongroom/source", file], { cwd });
    assert.notEqual(stdout, "", code);
  }
});
