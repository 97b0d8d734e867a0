/** Under 200 requests a second, in virtual time: regions that are well, and regions that come and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callsOf } from "../support/fleet.ts";
import { busyFleet, load, loadWithOutages } from "../support/load.ts";

test("a healthy fleet pays at most 5 % extra calls and loses nothing", async () => {
  const { fleet, messages } = await busyFleet();
  const before = callsOf(fleet).reduce((sum, calls) => sum + calls, 0);
  const counts = await load(fleet, messages, 10, () => undefined);
  const needed = counts.reads.length + counts.writes.length * 3;
  const extra = (callsOf(fleet).reduce((sum, calls) => sum + calls, 0) - before) / needed - 1;
  assert.ok(extra <= 0.05, `${extra}`);
  assert.deepEqual([counts.failedReads.length, counts.refusedWrites], [0, 0]);
});

test("no read fails and no write is lost while regions come and go", async (t) => {
  for (const line of await loadWithOutages(1, 2)) t.diagnostic(line);
});
