import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crashRounds } from "../test/support/crash-rounds.ts";

describe("kill -9 during an import", () => {
  it("loses no acknowledged record and stores none twice (20 rounds)", async (t) => {
    const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1e9);
    const report = await crashRounds(20, seed);
    t.diagnostic(JSON.stringify({ seed, ...report }));
    assert.equal(report.acknowledged, 20 * 120);
  });
});
