// The demos as anyone runs them: every claim holds, the first claims as much as its picture shows, and nothing is left
// behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const PICTURE = new URL("../../docs/pictures/demo.svg", import.meta.url);
/** On SQLite, wherever the tests keep their records. */
const withoutStores = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("STRONGROOM_")),
);
const HELD = /All (\d+) claims held/;

test("every claim of the demo holds, and none is missing", { timeout: 600_000 }, async (t) => {
  const { told, claims } = await played(t, "demo");
  const [, drawn] = HELD.exec(await readFile(PICTURE, "utf8")) ?? [];
  assert.equal(claims, drawn, "run `npm run docs:demo`");
  for (const code of ["record-moved", "record-rolled-back", "wraps-below-minimum", "store-rolled-back"])
    assert.ok(told.includes(`[${code}]`), code);
  assert.match(told, /token:[0-9a-f]{12} +read +done +people\/ada v1 +support T-2041/);
});

test("every claim of the demo of a rotation holds, and it tells its numbers", { timeout: 900_000 }, async (t) => {
  const { told } = await played(t, "demo-rotation");
  for (const code of ["key-still-needed", "report-refused"]) assert.ok(told.includes(`[${code}]`), code);
  assert.match(told, /letters +l-007 +1 +record-rolled-back/);
  assert.match(told, /it cannot\s+read\s+\d+\s+rows\s+of\s+one\s+copy/);
  assert.match(told, /calls of the KMS were foreseen,\s+\d+\s+were\s+made/);
});

/** Plays it to its end, which is a good one, in a folder of its own that is empty again then. */
async function played(t: TestContext, name: string): Promise<{ readonly told: string; readonly claims: string }> {
  const home = await mkdtemp(join(tmpdir(), "strongroom-test-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  const demo = fileURLToPath(new URL(`../../examples/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", demo, "--fast"], {
    env: { ...withoutStores, HOME: home, TMPDIR: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  let told = "";
  child.stdout.on("data", (text: string) => (told += text));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, told);
  assert.deepEqual(await readdir(home), []);
  return { told, claims: HELD.exec(told)?.[1] ?? "" };
}
