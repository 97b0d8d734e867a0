/**
 * Regions that a run waits for: those that gave nothing of late, until they give something.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AwaitedRegions } from "../../src/convergence/awaited-regions.ts";
import { NO_WORK, parseTally, tallyText } from "../../src/convergence/tallies.ts";

test("a region is waited for from when it gave nothing until it gives something, or nobody asks it any more", () => {
  const clock = { now: 0 };
  const awaited = new AwaitedRegions(() => clock.now);
  assert.equal(awaited.said, null);
  awaited.missed([
    { region: "eu-west-2", reason: "key-disabled" },
    { region: "eu-west-1", reason: "refused" },
  ]);
  assert.equal(awaited.said, "eu-west-1: refused, eu-west-2: key-disabled");
  awaited.gained(["eu-west-1", "eu-west-3"]);
  assert.equal(awaited.said, "eu-west-2: key-disabled");
  clock.now += 60_000;
  assert.equal(awaited.said, null);
});

test("however many regions there are, a note has room for what is said of them", () => {
  const awaited = new AwaitedRegions(() => 0);
  awaited.missed(
    Array.from({ length: 40 }, (_, n) => ({ region: `region-${n}-${"x".repeat(300)}`, reason: "timeout" })),
  );
  const waits = `throttled; ${awaited.said}`;
  assert.match(waits, / and 37 more$/);
  assert.notEqual(parseTally(tallyText({ ...NO_WORK, at: new Date(0).toISOString(), waits })), null);
});
