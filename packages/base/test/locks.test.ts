import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isLockHeld, takeLock, waitForLock } from "@strongroom/base/locks";
import { runScript } from "./support/child.ts";
import { countUp } from "./support/count-up.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const HOLD = `
  import { takeLock } from "@strongroom/base/locks";
  globalThis.held = takeLock(process.argv[1]);
  console.log("held");
  setInterval(() => {}, 1000);`;

test("a lock is held by one at a time, and free again when it is released", (t) => {
  const path = join(temporaryFolder(t), "lock");
  const first = takeLock(path);
  assert.throws(() => takeLock(path), { code: "lock-held" });
  assert.throws(() => takeLock(path), isLockHeld, "trying does not free it");
  first.release();
  first.release();
  const second = takeLock(path);
  first.release();
  assert.throws(() => takeLock(path), isLockHeld, "who has released it does not release another's");
  second.release();
  takeLock(path).release();
});

test("the lock's file is its owner's alone, and a file that was left there is used", (t) => {
  const path = join(temporaryFolder(t), "lock");
  writeFileSync(path, "", { mode: 0o644 });
  const lock = takeLock(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  lock.release();
});

test("a file that cannot be locked is told from one that is", (t) => {
  const folder = temporaryFolder(t);
  const text = join(folder, "text");
  writeFileSync(text, "this is no lock, and longer than the header of a database file. ".repeat(20));
  for (const path of [text, join(folder, "absent", "lock"), folder]) {
    assert.throws(
      () => takeLock(path),
      (error) => !isLockHeld(error) && (error as { code: string }).code === "lock-unusable",
    );
  }
});

test("a lock of another process is felt, and free once that process was killed", async (t) => {
  const path = join(temporaryFolder(t), "lock");
  const holder = runScript(t, HOLD, path);
  await holder.said();
  assert.throws(() => takeLock(path), isLockHeld);
  const began = performance.now();
  assert.throws(() => takeLock(path, { blockMs: 200 }), isLockHeld);
  assert.ok(performance.now() - began >= 150, "it waited as long as it was allowed to");
  await assert.rejects(waitForLock(path, { patienceMs: 50 }), isLockHeld);
  await holder.kill();
  takeLock(path).release();
});

test("waiting leaves the process free, and gets the lock once it is released", async (t) => {
  const path = join(temporaryFolder(t), "lock");
  const first = takeLock(path);
  const order: string[] = [];
  const second = waitForLock(path, { patienceMs: 5000 }).then((lock) => {
    order.push("second");
    return lock;
  });
  await delay(30);
  order.push("released");
  first.release();
  (await second).release();
  assert.deepEqual(order, ["released", "second"]);
});

test("of many who want it at once, in this process and in others, one has it at a time", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "lock");
  writeFileSync(`${path}.count`, "0");
  const others = [1, 2].map(() => runScript(t, COUNT, path));
  await Promise.all([countUp(path), countUp(path), ...others.map((other) => other.said())]);
  assert.equal(readFileSync(`${path}.count`, "utf8"), "40");
});

const COUNT = `
  import { countUp } from "./count-up.ts";
  await countUp(process.argv[1]);
  console.log("done");`;
