/** When a second region is asked: quantiles in constant memory, the delay made of them, and what hedges may cost. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HedgeBudget, hedgeDelayMs, LatencyWindow } from "../../src/multi-region/hedging.ts";
import { RESILIENCE_DEFAULTS } from "../../src/resilience/settings.ts";

function windowOf(samples: Iterable<number>): LatencyWindow {
  const window = new LatencyWindow();
  for (const sample of samples) window.record(sample);
  return window;
}

describe("the latency window", () => {
  test("knows nothing before the first call", () => {
    assert.equal(new LatencyWindow().quantiles(), null);
  });

  test("gives nearest-rank quantiles of all its samples while it is not full", () => {
    assert.deepEqual(windowOf([5, 1, 4, 2, 3]).quantiles(), { p50: 3, p95: 5 });
  });

  test("forgets what is 128 calls old", () => {
    const window = windowOf(Array.from({ length: 128 }, () => 500));
    for (let call = 0; call < 128; call++) window.record(5);
    assert.deepEqual(window.quantiles(), { p50: 5, p95: 5 });
    assert.equal(window.size, 128);
  });

  test("ignores what is no duration", () => {
    assert.equal(windowOf([Number.NaN, -1, Infinity]).size, 0);
  });

  test("agrees with sorting, give or take the samples since it last sorted", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1, maxLength: 400 }),
        (samples) => {
          const window = new LatencyWindow();
          let stale = 0;
          let last: { p50: number; p95: number } | null = null;
          for (const [index, sample] of samples.entries()) {
            window.record(sample);
            const kept = samples.slice(Math.max(0, index - 127), index + 1).sort((a, b) => a - b);
            const exact = { p50: kept[Math.ceil(kept.length * 0.5) - 1], p95: kept[Math.ceil(kept.length * 0.95) - 1] };
            const told = window.quantiles();
            assert.ok(told !== null);
            stale = told.p50 === last?.p50 && told.p95 === last.p95 ? stale + 1 : 0;
            if (stale === 0 || index < 127) assert.deepEqual(told, exact);
            last = told;
          }
        },
      ),
    );
  });
});

describe("the hedge delay", () => {
  const rules = RESILIENCE_DEFAULTS;

  test("is the longest until there are enough samples", () => {
    assert.equal(hedgeDelayMs(windowOf([1, 2, 3, 4, 5, 6, 7]), rules), rules.hedgeMaxMs);
    assert.equal(hedgeDelayMs(windowOf([1, 2, 3, 4, 5, 6, 7, 8]), rules), rules.hedgeMinMs);
  });

  test("is the p95 between its bounds, whatever the samples", () => {
    assert.equal(hedgeDelayMs(windowOf(Array.from({ length: 20 }, () => 72)), rules), 72);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 200 }), (samples) => {
        const delay = hedgeDelayMs(windowOf(samples), rules);
        assert.ok(delay >= rules.hedgeMinMs && delay <= rules.hedgeMaxMs);
      }),
    );
  });
});

describe("the hedge budget", () => {
  test("the first outage finds the reserve full", () => {
    const budget = new HedgeBudget(RESILIENCE_DEFAULTS);
    for (let hedge = 0; hedge < RESILIENCE_DEFAULTS.hedgeReserve; hedge++) assert.equal(budget.spend(), true);
    assert.equal(budget.spend(), false);
  });

  test("twenty-five ordinary calls earn one extra call", () => {
    const budget = new HedgeBudget(RESILIENCE_DEFAULTS);
    while (budget.spend());
    for (let call = 0; call < 24; call++) budget.earn();
    assert.equal(budget.spend(), false);
    budget.earn();
    assert.equal(budget.spend(), true);
  });

  test("a ratio of nothing, with nothing in reserve, never grants", () => {
    const budget = new HedgeBudget({ hedgeRatio: 0, hedgeReserve: 0 });
    for (let call = 0; call < 1_000; call++) budget.earn();
    assert.equal(budget.spend(), false);
  });

  test("extra calls never pass the ratio by more than the reserve, and a granted one was always affordable", () => {
    const step = fc.constantFrom("earn", "earn", "earn", "spend");
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 2_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(20),
        (steps, hedgeRatio, hedgeReserve) => {
          const budget = new HedgeBudget({ hedgeRatio, hedgeReserve });
          let calls = 0;
          let extra = 0;
          for (const what of steps) {
            if (what === "earn") {
              budget.earn();
              calls += 1;
            } else if (budget.spend()) extra += 1;
            assert.ok(extra <= hedgeReserve + calls * hedgeRatio + 1e-6);
            assert.ok(budget.saved >= 0 && budget.saved <= hedgeReserve);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
