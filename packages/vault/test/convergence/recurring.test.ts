/** What is done in the background goes on whatever fails, asks nobody without a pause, and ends when it is told to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { defer } from "../../../../tests/support/defer.ts";
import { Recurring } from "../../src/convergence/recurring.ts";
import { systemSleep } from "../../src/convergence/repairs.ts";

const LONG_MS = 60_000;

function recurring(t: TestContext, everyMs: number, turn: (stop: AbortSignal) => Promise<void>) {
  const faults: unknown[] = [];
  const turns = new Recurring({ turn, everyMs, onFault: (fault) => faults.push(fault), sleep: systemSleep });
  defer(t, () => turns.stop());
  return { turns, faults };
}

test("a turn that fails is told of, and tried again when its time has come", async (t) => {
  let looks = 0;
  const look = (): Promise<void> => Promise.reject(new Error(`look ${++looks}`));
  const { faults } = recurring(t, LONG_MS, look);
  await delay(50);
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ["look 1"],
  );
  const often = recurring(t, 1, look);
  while (often.faults.length < 3) await delay(5);
});

test("who is woken in the middle of a turn begins another one behind it", async (t) => {
  let looks = 0;
  const { turns } = recurring(t, LONG_MS, async () => {
    looks++;
    await delay(20);
  });
  await delay(10);
  turns.wake();
  await delay(100);
  assert.equal(looks, 2);
  turns.wake();
  await delay(10);
  assert.equal(looks, 3);
});

test("it is stopped when the turn under way has ended, which is told to end", async (t) => {
  let hasEnded = false;
  const { turns } = recurring(t, 1, async (stop) => {
    await systemSleep(LONG_MS, stop);
    await delay(10);
    hasEnded = true;
  });
  await delay(10);
  assert.equal(turns.isStopped, false);
  await turns.stop();
  assert.deepEqual([hasEnded, turns.isStopped], [true, true]);
});
