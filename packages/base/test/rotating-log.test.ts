import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openRotatingLog } from "@strongroom/base/rotating-log";
import { temporaryFolder } from "./support/temporary-folder.ts";

const BOUNDS = { bytes: 1000, kept: 3 };
const line = (number: number): string => `${JSON.stringify({ number, text: "x".repeat(80) })}\n`;

test("a log that grows is put aside, a bounded number of times, each file for its owner alone and of whole lines", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "a.log");
  const log = openRotatingLog(path, BOUNDS);
  for (let number = 0; number < 100; number++) {
    writeSync(log.fd, line(number));
    log.look();
  }
  await log.close();
  assert.deepEqual(readdirSync(folder).sort(), ["a.log", "a.log.1", "a.log.2", "a.log.3"]);
  const numbers = ["a.log.3", "a.log.2", "a.log.1", "a.log"].flatMap((name) => {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    assert.ok(statSync(join(folder, name)).size < BOUNDS.bytes + 200);
    return readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => (JSON.parse(text) as { readonly number: number }).number);
  });
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => 100 - numbers.length + index),
  );
});

test("another process that has the log open writes on in it", async (t) => {
  const path = join(temporaryFolder(t), "a.log");
  const log = openRotatingLog(path, BOUNDS);
  const script = `for (let n = 0; n < 15; n++) require("fs").writeSync(1, ${JSON.stringify(line(1))})`;
  for (let round = 0; round < 3; round++) {
    spawnSync(process.execPath, ["-e", script], { stdio: ["ignore", log.fd, "inherit"] });
    log.look();
    assert.equal(statSync(path).size, 0);
    assert.doesNotMatch(readFileSync(`${path}.1`, "latin1"), /\0/, "no hole where the log was emptied");
  }
  await log.close();
});

test("a log that is a link is refused, and one that stands where it is put aside is replaced, not followed", async (t) => {
  const folder = temporaryFolder(t);
  const other = join(folder, "other");
  writeFileSync(other, "mine");
  symlinkSync(other, join(folder, "a.log"));
  assert.throws(() => openRotatingLog(join(folder, "a.log"), BOUNDS), { code: "ELOOP" });
  for (const name of ["b.log.1", "b.log.new"]) symlinkSync(other, join(folder, name));
  const log = openRotatingLog(join(folder, "b.log"), BOUNDS);
  writeSync(log.fd, "y".repeat(1500));
  log.look();
  await log.close();
  assert.equal(readFileSync(other, "utf8"), "mine");
  assert.equal(readFileSync(join(folder, "b.log.1"), "utf8"), "y".repeat(1500));
});
