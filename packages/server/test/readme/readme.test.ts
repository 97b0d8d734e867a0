import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { defer } from "../../../../tests/support/defer.ts";

const example = new URL("example.ts", import.meta.url).pathname;

test("the README's example is the one that runs, and it runs", async (t) => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(/```ts\n([^]*?)```/.exec(readme)?.[1], await readFile(example, "utf8"));
  const cwd = await mkdtemp(join(tmpdir(), "strongroom-readme-"));
  defer(t, () => rm(cwd, { recursive: true, force: true }));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", example], { cwd });
  assert.equal(stdout, '201 "1" {"name":"Ada Lovelace"}\n');
});
