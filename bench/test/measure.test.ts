import assert from "node:assert/strict";
import { test } from "node:test";

import { work } from "../harness/contender.ts";
import { measure, percentile, type Effort } from "../harness/measure.ts";

const EFFORT: Effort = { warmupMs: 0, measureMs: 1, batch: 8, concurrency: 1 };

test("every result is verified, synchronous or not", async () => {
  for (const run of [() => 7, async () => 7]) {
    let made = 0;
    let verified = 0;
    const sample = await measure(
      work<number>({
        run: () => {
          made += 1;
          return run();
        },
        verify: (result) => {
          assert.equal(result, 7);
          verified += 1;
        },
      }),
      EFFORT,
    );
    assert.equal(verified, made);
    assert.equal(sample.verified, made);
  }
});

test("a wrong result fails the measurement", async () => {
  let runs = 0;
  const wrongOnce = work({
    run: () => (runs += 1),
    verify: (result: number) => {
      if (result === 5) throw new Error("wrong");
    },
  });
  await assert.rejects(measure(wrongOnce, EFFORT), /wrong/);
});

test("units per run count in the rate, and verification is not on the clock", async () => {
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  const slowToVerify = work({ run: () => pause(2), verify: () => pause(20), unitsPerRun: 1_000 });
  const start = performance.now();
  const { rate, verified } = await measure(slowToVerify, { ...EFFORT, batch: 1 });
  const wallMs = performance.now() - start;
  const clockMs = ((verified * 1_000) / rate) * 1_000;
  assert.ok(clockMs <= wallMs - verified * 19, `${clockMs} ms on the clock of ${wallMs} ms in all`);
});

test("overlapping runs are all done, no more at once than allowed, and report their latency", async () => {
  let inFlight = 0;
  let most = 0;
  const overlapping = work({
    run: async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((done) => setTimeout(done, 1));
      inFlight -= 1;
    },
    verify: () => undefined,
  });
  const sample = await measure(overlapping, { ...EFFORT, batch: 16, concurrency: 4 });
  assert.equal(most, 4);
  assert.ok(sample.latencyMs !== null && sample.latencyMs.p50 <= sample.latencyMs.p99);
});

test("percentiles are nearest ranks", () => {
  assert.equal(percentile([4, 1, 3, 2], 0.5), 2);
  assert.equal(percentile([4, 1, 3, 2], 0.99), 4);
});
