// The demo as anyone runs it: every claim holds, it claims as much as its picture shows, and leaves nothing behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const DEMO = fileURLToPath(new URL("../../examples/demo/main.ts", import.meta.url));
const PICTURE = new URL("../../docs/pictures/demo.svg", import.meta.url);
/** On SQLite, wherever the tests keep their records. */
const withoutStores = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("STRONGROOM_")),
);
const HELD = /All (\d+) claims held/;

test("every claim of the demo holds, and none is missing", { timeout: 600_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), "strongroom-test-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", DEMO, "--fast"], {
    env: { ...withoutStores, HOME: home, TMPDIR: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  let told = "";
  child.stdout.on("data", (text: string) => (told += text));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, told);
  const [, claims] = HELD.exec(told) ?? [];
  const [, drawn] = HELD.exec(await readFile(PICTURE, "utf8")) ?? [];
  assert.equal(claims, drawn, "run `npm run docs:demo`");
  for (const code of ["record-moved", "record-rolled-back", "wraps-below-minimum", "store-rolled-back"])
    assert.ok(told.includes(`[${code}]`), code);
  assert.match(told, /token:[0-9a-f]{12} +read +done +people\/ada v1 +support T-2041/);
  assert.deepEqual(await readdir(home), []);
});
