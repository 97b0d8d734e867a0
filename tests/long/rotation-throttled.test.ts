// A KMS that takes less than it is asked, or a key of it that is disabled, in the middle of a rotation: it goes slower,
// says why, loses nothing, and ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { rotatingRegions, SharedQuota } from "../support/faults/rotating-regions.ts";
import { callsOf, hasEnded, isAt, RATE, RECORDS, requireRotated, waitsFor } from "../support/faults/rotation-held.ts";

test("the new key of one region is disabled in the middle", async (t) => {
  const rotating = await rotatingRegions(t, RECORDS);
  const { vault, fresh } = rotating;
  await vault.convergence.apply({ rate: RATE });
  await rotating.until(isAt("add", 1));
  const [{ client, keyArn, region }] = [fresh[1]!];
  await client.disableKey({ KeyId: keyArn });
  const traffic = rotating.traffic(100);
  const waiting = await rotating.until(waitsFor(new RegExp(region)));
  assert.deepEqual([waiting.state, waiting.phase], ["running", "add"]);
  const { reads, refused } = await traffic();
  assert.deepEqual([[...reads.keys()], [...refused]], [["right"], []]);
  await client.enableKey({ KeyId: keyArn });
  const run = await requireRotated(rotating);
  t.diagnostic(`${waiting.progress.waits}; ${callsOf(run)}`);
});

test("a region takes a tenth of what it is asked", async (t) => {
  const rotating = await rotatingRegions(t, RECORDS);
  const { vault, faults, fresh } = rotating;
  const { region } = fresh[1]!;
  faults.add(region, { kind: "throttle", probability: 0.9 });
  await vault.convergence.apply({ rate: RATE });
  const traffic = rotating.traffic(100);
  const waiting = await rotating.until(waitsFor(/throttled/));
  assert.ok(waiting.progress.throttled > 0);
  await sleep(2_000);
  const { reads, refused } = await traffic();
  assert.deepEqual([[...reads.keys()], [...refused]], [["right"], []]);
  faults.remove(region);
  const run = await requireRotated(rotating);
  t.diagnostic(`${waiting.progress.waits}; ${run.progress.throttled} throttled; ${callsOf(run)}`);
});

test("another program takes most of what the KMS allows", async (t) => {
  const rotating = await rotatingRegions(t, 2 * RECORDS);
  const { vault } = rotating;
  const quota = new SharedQuota(rotating.faults, { perSecond: 100, others: 75 });
  await vault.convergence.apply({ rate: 60 });
  const traffic = rotating.traffic(1_000);
  const waiting = await rotating.until(waitsFor(/throttled/));
  const run = await rotating.until(hasEnded);
  const { reads, refused } = await traffic();
  quota.end();
  assert.ok(waiting.progress.throttled > 0 && (reads.get("right") ?? 0) > 0);
  assert.equal(run.state, "done", "it ends although the other program goes on");
  await requireRotated(rotating);
  t.diagnostic(
    `${run.progress.throttled} throttled; took ${run.progress.seconds.toFixed(1)} s; callers were told ` +
      `${JSON.stringify([...reads])} ${JSON.stringify([...refused])}; ${callsOf(run)}`,
  );
});
