// Faults of the KMS in the middle of a rotation: nothing is lost, the run says what it waits for, and ends by itself
// when the fault is over.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConvergenceRun } from "@strongroom/vault";
import { rotatingRegions } from "../support/faults/rotating-regions.ts";
import type { RotatingRegions } from "../support/faults/rotating-regions.ts";
import type { Counted } from "../support/faults/rotation-ledger.ts";

const RECORDS = 30;
const RATE = 60;
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
  assert.deepEqual((await vault.convergence.failures()).failures, []);
}

/** All right in the end, under the new keys, with the old ones shut down. */
async function requireRotated(rotating: RotatingRegions): Promise<ConvergenceRun> {
  const run = await rotating.until(hasEnded);
  assert.deepEqual([run.state, run.phase, run.progress.waits], ["done", "end", null]);
  await requireNothingUnder(rotating, rotating.old);
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
  t.diagnostic(`${waiting.progress.waits}; ${JSON.stringify(run.progress)}`);
});
