// Faults of the KMS in the middle of a rotation: nothing is lost, the run says what it waits for, and ends by itself
// when the fault is over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConvergenceRun } from "@strongroom/vault";
import { oldId } from "../support/faults/rotation-traffic.ts";
import { rotatingRegions, SharedQuota } from "../support/faults/rotating-regions.ts";
import type { RotatingRegions } from "../support/faults/rotating-regions.ts";
import type { Counted } from "../support/faults/rotation-ledger.ts";

const RECORDS = 16;
/** So slow that a fault falls into the middle. */
const RATE = 10;
const WHOLE = { lost: 0, doubled: 0, mixed: 0, unreadable: 0 };

const isAt =
  (phase: ConvergenceRun["phase"], done: number) =>
  ({ phase: now, progress }: ConvergenceRun): boolean =>
    now !== phase || progress.done >= done;
const hasEnded = ({ state }: ConvergenceRun): boolean => state !== "running";
const waitsFor =
  (what: RegExp) =>
  ({ progress }: ConvergenceRun): boolean =>
    what.test(progress.waits ?? "");

function requireWhole({ lost, doubled, mixed, unreadable }: Counted): void {
  assert.deepEqual({ lost, doubled, mixed, unreadable }, WHOLE);
}

async function requireNothingUnder(
  { vault }: RotatingRegions,
  keys: readonly { readonly keyArn: string }[],
): Promise<void> {
  for (const { keyArn } of keys) {
    const { items, kept, unknown } = await vault.convergence.probe(keyArn);
    assert.deepEqual({ items, kept, unknown }, { items: [], kept: false, unknown: [] });
  }
}

/** Ended well, and nothing is waited for. */
async function requireEnded(rotating: RotatingRegions): Promise<ConvergenceRun> {
  const run = await rotating.until(hasEnded);
  assert.deepEqual([run.state, run.phase, run.progress.waits], ["done", "end", null]);
  return run;
}

/** All right in the end, under the new keys, with the old ones shut down. */
async function requireRotated(rotating: RotatingRegions): Promise<ConvergenceRun> {
  const run = await requireEnded(rotating);
  await requireNothingUnder(rotating, rotating.old);
  assert.deepEqual((await rotating.vault.convergence.failures()).failures, []);
  for (const { client, keyArn } of rotating.old) await client.disableKey({ KeyId: keyArn }).catch(() => undefined);
  requireWhole(await rotating.check(rotating.fresh));
  return run;
}

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

const callsOf = ({ progress }: ConvergenceRun): string =>
  progress.calls.map(({ region, operation, calls }) => `${region} ${operation}: ${calls}`).join(", ");
