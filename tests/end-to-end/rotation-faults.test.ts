// Faults of the KMS in the middle of a rotation: nothing is lost, the run says what it waits for, and ends by itself
// when the fault is over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { oldId } from "../support/faults/rotation-traffic.ts";
import { rotatingRegions } from "../support/faults/rotating-regions.ts";
import {
  callsOf,
  hasEnded,
  isAt,
  RATE,
  RECORDS,
  requireEnded,
  requireNothingUnder,
  requireRotated,
  requireWhole,
  waitsFor,
} from "../support/faults/rotation-held.ts";

test("the new key of every region dies in the middle: nothing goes on, and all of it goes back", async (t) => {
  const rotating = await rotatingRegions(t, RECORDS);
  const { vault, fresh, old } = rotating;
  await vault.convergence.apply({ rate: RATE });
  await rotating.until(isAt("add", 1));
  for (const { client, keyArn } of fresh) await client.disableKey({ KeyId: keyArn });
  const waiting = await rotating.until(waitsFor(/key-disabled/));
  assert.deepEqual([waiting.state, waiting.phase, waiting.undoable], ["running", "add", true]);
  // People's keys have their old wraps still, but a message that was sealed anew has its new ones alone.
  for (let n = 0; n < RECORDS; n++) await vault.get({ collection: "people", id: oldId(n) });
  await assert.rejects(vault.put({ collection: "records", id: oldId(0) }, {}), { code: "wraps-below-minimum" });
  await vault.convergence.undo("the new keys are lost");
  assert.equal((await rotating.until(hasEnded)).state, "undone");
  const traffic = rotating.traffic(100);
  await sleep(1_000);
  const { reads, refused } = await traffic();
  assert.deepEqual([[...reads.keys()], [...refused]], [["right"], []]);
  await requireNothingUnder(rotating, fresh);
  requireWhole(await rotating.check(old));
  t.diagnostic(`${waiting.progress.waits}`);
});

test("a region is lost in the middle, and comes back", async (t) => {
  const rotating = await rotatingRegions(t, RECORDS);
  const { vault, kms, fresh } = rotating;
  await vault.convergence.apply({ rate: RATE });
  await rotating.until(isAt("add", 1));
  const { region } = fresh[0]!;
  await kms.stopRegion(region);
  const traffic = rotating.traffic(100);
  const waiting = await rotating.until(waitsFor(new RegExp(region)));
  assert.deepEqual([waiting.state, waiting.phase], ["running", "add"]);
  const { reads, refused } = await traffic();
  assert.deepEqual([[...reads.keys()], [...refused]], [["right"], []]);
  await kms.startRegion(region);
  const run = await requireRotated(rotating);
  t.diagnostic(`${waiting.progress.waits}; ${callsOf(run)}`);
});

test("the old key of one region is dead: the others open, and every call is counted", async (t) => {
  const rotating = await rotatingRegions(t, RECORDS);
  const { vault, old } = rotating;
  await old[0]!.client.disableKey({ KeyId: old[0]!.keyArn });
  await vault.convergence.apply({ rate: 10_000 });
  const run = await requireEnded(rotating);
  for (const operation of ["ReEncrypt", "Encrypt", "GenerateDataKey"]) {
    const told = run.progress.calls.filter((row) => row.operation === operation);
    assert.deepEqual(
      new Map(told.map(({ region, calls }) => [region, calls])),
      rotating.answered(operation),
      operation,
    );
  }
  await requireRotated(rotating);
  t.diagnostic(callsOf(run));
});
