/**
 * Every function that the package's entry points export has an `@example`, and every example runs as it stands.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as vault from "@strongroom/vault";
import * as sqlite from "@strongroom/vault/sqlite";
import { temporaryFolder } from "../support/vault.ts";

const SOURCES = new URL("../../src/", import.meta.url);
const MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
const EXAMPLE = / \* @example\n \* ```ts\n([^]*?) \* ```/g;
const run = promisify(execFile);

async function sources(): Promise<string> {
  const files = (await readdir(SOURCES, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, SOURCES), "utf8")));
  // Methods' comments are further in.
  return texts.join("\n").replaceAll(/^ +(?=\/?\*)/gm, " ");
}

test("every exported function and class has an example", async () => {
  const text = await sources();
  for (const [name, exported] of Object.entries({ ...vault, ...sqlite })) {
    if (typeof exported !== "function") continue;
    const documented = new RegExp(`@example\\n(?: \\*.*\\n)* \\*/\\nexport (?:async )?(?:function|class) ${name}\\b`);
    assert.ok(documented.test(text), name);
  }
});

test("every example runs", async (t) => {
  const cwd = await temporaryFolder(t);
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
