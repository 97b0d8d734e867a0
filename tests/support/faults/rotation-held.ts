/**
 * What must hold of a rotation whose KMS had a fault in the middle: it ended well, nothing is left under the old keys,
 * and every record is right.
 */
import assert from "node:assert/strict";
import type { ConvergenceRun } from "@strongroom/vault";
import type { RotatingRegions } from "./rotating-regions.ts";
import type { Counted } from "./rotation-ledger.ts";

/** Records of each collection. */
export const RECORDS = 16;
/** So slow that a fault falls into the middle. */
export const RATE = 10;
const WHOLE = { lost: 0, doubled: 0, mixed: 0, unreadable: 0 };

export const isAt =
  (phase: ConvergenceRun["phase"], done: number) =>
  ({ phase: now, progress }: ConvergenceRun): boolean =>
    now !== phase || progress.done >= done;
export const hasEnded = ({ state }: ConvergenceRun): boolean => state !== "running";
export const waitsFor =
  (what: RegExp) =>
  ({ progress }: ConvergenceRun): boolean =>
    what.test(progress.waits ?? "");

export function requireWhole({ lost, doubled, mixed, unreadable }: Counted): void {
  assert.deepEqual({ lost, doubled, mixed, unreadable }, WHOLE);
}

export async function requireNothingUnder(
  { vault }: RotatingRegions,
  keys: readonly { readonly keyArn: string }[],
): Promise<void> {
  for (const { keyArn } of keys) {
    const { items, kept, unknown } = await vault.convergence.probe(keyArn);
    assert.deepEqual({ items, kept, unknown }, { items: [], kept: false, unknown: [] });
  }
}

/** Ended well, and nothing is waited for. */
export async function requireEnded(rotating: RotatingRegions): Promise<ConvergenceRun> {
  const run = await rotating.until(hasEnded);
  assert.deepEqual([run.state, run.phase, run.progress.waits], ["done", "end", null]);
  return run;
}

/** All right in the end, under the new keys, with the old ones shut down. */
export async function requireRotated(rotating: RotatingRegions): Promise<ConvergenceRun> {
  const run = await requireEnded(rotating);
  await requireNothingUnder(rotating, rotating.old);
  assert.deepEqual((await rotating.vault.convergence.failures()).failures, []);
  for (const { client, keyArn } of rotating.old) await client.disableKey({ KeyId: keyArn }).catch(() => undefined);
  requireWhole(await rotating.check(rotating.fresh));
  return run;
}

/** For a person. */
export const callsOf = ({ progress }: ConvergenceRun): string =>
  progress.calls.map(({ region, operation, calls }) => `${region} ${operation}: ${calls}`).join(", ");
