/**
 * A thousand rounds of two processes on one store. STRONGROOM_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { repairRounds } from "../test/support/repair-rounds.ts";

const seed = Number(process.env["STRONGROOM_SEED"] ?? Date.now() % 1_000_000);

test("1,000 rounds: two processes repair the same debt without doing it twice or losing a live write", async (t) => {
  const report = await repairRounds(t, 1000, seed);
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual([report.lostWrites, report.repairedTwice], [0, 0]);
  assert.equal(report.repaired + report.removedUnpaid, report.debts);
  assert.ok(
    report.repairedByProcess.every((count) => count > report.repaired / 10),
    "both had their share",
  );
});
