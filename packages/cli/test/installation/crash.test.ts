import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crashRounds } from "../support/crash-rounds.ts";

describe("kill -9 during an import", () => {
  it("loses no acknowledged record and stores none twice (3 rounds)", async (t) => {
    const seed = Number(process.env["CRASH_SEED"] ?? 20_260_301);
    const report = await crashRounds(3, seed);
    t.diagnostic(JSON.stringify({ seed, ...report }));
    assert.equal(report.acknowledged, 3 * 120);
  });
});
