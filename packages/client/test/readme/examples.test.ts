/**
 * The README's example and those in the sources run as they stand, and every exported function and class has one.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as entryPoint from "@strongroom/client";
import { service } from "../support/service.ts";

const SOURCES = new URL("../../src/", import.meta.url);
const MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
const EXAMPLE = / \* @example\n \* ```ts\n([^]*?) \* ```/g;
const run = promisify(execFile);

async function sources(): Promise<string> {
  const files = (await readdir(SOURCES)).filter((file) => file.endsWith(".ts"));
  return (await Promise.all(files.map((file) => readFile(new URL(file, SOURCES), "utf8")))).join("\n");
}

test("every exported function and class has an example", async () => {
  const text = await sources();
  for (const [name, exported] of Object.entries(entryPoint)) {
    if (typeof exported !== "function") continue;
    const documented = new RegExp(`@example\\n(?: \\*.*\\n)* \\*/\\nexport (?:function|class) ${name}\\b`);
    assert.ok(documented.test(text), name);
  }
});

test("every example runs", async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), "strongroom-examples-"));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await symlink(MODULES, join(cwd, "node_modules"));
  const examples = [...(await sources()).matchAll(EXAMPLE)].map(([, code = ""]) => code.replaceAll(/^ \* ?/gm, ""));
  assert.equal(examples.length, 3);
  for (const [index, code] of examples.entries()) {
    const file = join(cwd, `example-${index}.mts`);
    await writeFile(file, code);
    const { stdout } = await run(process.execPath, ["--conditions=@strongroom/source", file], { cwd });
    assert.notEqual(stdout, "", code);
  }
});

test("the README's example is the one that runs, and it runs", async (t) => {
  const example = fileURLToPath(new URL("example.ts", import.meta.url));
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(/```ts\n([^]*?)```/.exec(readme)?.[1], await readFile(example, "utf8"));
  const { url, token } = await service(t);
  const env = { ...process.env, STRONGROOM_URL: url, STRONGROOM_TOKEN: await token("admin") };
  const { stdout } = await run(process.execPath, ["--conditions=@strongroom/source", example], { env });
  assert.equal(stdout, "ada 2\nrecord-absent 404 absent true\n");
});
