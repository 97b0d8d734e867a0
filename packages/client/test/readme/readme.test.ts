/**
 * The README's example runs as it stands.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { service } from "../support/service.ts";

test("the README's example is the one that runs, and it runs", async (t) => {
  const example = fileURLToPath(new URL("example.ts", import.meta.url));
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(/```ts\n([^]*?)```/.exec(readme)?.[1], await readFile(example, "utf8"));
  const { url, token } = await service(t);
  const env = { ...process.env, STRONGROOM_URL: url, STRONGROOM_TOKEN: await token("admin") };
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@strongroom/source", example], { env });
  assert.equal(stdout, "ada 2\nrecord-absent 404 absent true\n");
});
