// The audit's retention: what it asks to be forgotten, and that a close ends it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keepRetention } from "../../src/installation/audit-retention.ts";

const DAY_MS = 86_400_000;

test("what is older than its days is forgotten at once, and what fails is told", async () => {
  const asked: string[] = [];
  const faults: unknown[] = [];
  const began = Date.now();
  const failure = new Error("the log is away");
  const kept = keepRetention({
    audit: {
      forget: async ({ before }) => {
        asked.push(before);
        throw failure;
      },
    },
    days: 30,
    onFault: (error) => faults.push(error),
  });
  await kept.close();
  const [before] = asked.map((moment) => Date.parse(moment));
  assert.ok(before !== undefined && before >= began - 30 * DAY_MS && before <= Date.now() - 30 * DAY_MS);
  assert.deepEqual([asked.length, faults], [1, [failure]]);
});

test("a close ends what is under way, and waits for it", async () => {
  let isOver = false;
  const faults: unknown[] = [];
  const kept = keepRetention({
    audit: {
      forget: ({ signal }) =>
        new Promise((resolve) => {
          signal?.addEventListener("abort", () => {
            isOver = true;
            resolve(0);
          });
        }),
    },
    days: 1,
    onFault: (error) => faults.push(error),
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false);
  await kept.close();
  assert.deepEqual([isOver, faults], [true, []]);
});
