import assert from "node:assert/strict";
import { test } from "node:test";
import { repairRounds } from "../support/repair-rounds.ts";

test("two processes that share one store repair the same debt once, while both write on", async (t) => {
  const report = await repairRounds(t, 15, 1);
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual([report.lostWrites, report.repairedTwice], [0, 0]);
  assert.ok(report.repaired > 0 && report.repaired + report.removedUnpaid === report.debts);
});
