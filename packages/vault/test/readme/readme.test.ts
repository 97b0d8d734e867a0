import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/storage.ts";

const example = new URL("example.ts", import.meta.url).pathname;
const auditExample = new URL("audit-example.ts", import.meta.url).pathname;

test("the README's example is the one that runs, and it runs", async (t) => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(/```ts\n([^]*?)```/.exec(readme)?.[1], await readFile(example, "utf8"));
  const cwd = await temporaryFolder(t);
  for (const run of ["first", "second, on what the first left"]) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", example], {
      cwd,
    });
    assert.equal(stdout, "Ada King was Ada Lovelace\n", run);
  }
  for (const file of ["vault.sqlite", "keys.sqlite"])
    assert.equal((await stat(join(cwd, file))).mode & 0o777, 0o600, file);
});

test("the example of docs/audit.md is the one that runs, and it prints who read", async (t) => {
  const page = await readFile(new URL("../../../../docs/audit.md", import.meta.url), "utf8");
  assert.equal(/```ts\n([^]*?)```/.exec(page)?.[1], await readFile(auditExample, "utf8"));
  const cwd = await temporaryFolder(t);
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", auditExample], {
    cwd,
  });
  assert.equal(stdout, "user:7f3a read T-2041\n");
  assert.equal((await stat(join(cwd, "audit.sqlite"))).mode & 0o777, 0o600);
});
