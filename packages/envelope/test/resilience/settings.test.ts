/** The policy's numbers are checked as a whole. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESILIENCE_DEFAULTS, resolveSettings } from "../../src/resilience/settings.ts";

describe("resolveSettings", () => {
  test("gives the defaults, which are themselves valid", () => {
    const problems: string[] = [];
    assert.deepEqual(resolveSettings(RESILIENCE_DEFAULTS, problems), RESILIENCE_DEFAULTS);
    assert.deepEqual(resolveSettings({}, problems), RESILIENCE_DEFAULTS);
    assert.deepEqual(problems, []);
  });

  test("lists every problem at once", () => {
    const problems: string[] = [];
    const bad = {
      deadlineMs: Number.NaN,
      hedgeMinSamples: 2.5,
      hedgeRatio: -1,
      breakerStrikes: "3" as unknown as number,
      throttleGain: Infinity,
    };
    resolveSettings(bad, problems);
    assert.deepEqual(problems.map((problem) => problem.split(" ")[0]).sort(), Object.keys(bad).sort());
  });

  test("refuses bounds that contradict one another", () => {
    const problems: string[] = [];
    resolveSettings({ hedgeMinMs: 300, breakerFirstRestMs: 5_000 }, problems);
    assert.equal(problems.length, 2);
  });

  test("promises a noticed recovery within five seconds", () => {
    assert.ok(RESILIENCE_DEFAULTS.breakerLongestRestMs + 1_000 <= 5_000);
  });
});
