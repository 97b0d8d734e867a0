/** What hedged calls may cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HedgeBudget } from "../../src/resilience/hedge-budget.ts";
import { RESILIENCE_DEFAULTS } from "../../src/resilience/settings.ts";

test("the first outage finds the reserve full", () => {
  const budget = new HedgeBudget(RESILIENCE_DEFAULTS);
  for (let hedge = 0; hedge < RESILIENCE_DEFAULTS.hedgeReserve; hedge++) assert.equal(budget.spend(), "granted");
  assert.equal(budget.spend(), "denied");
});

test("twenty-five ordinary calls earn one extra call", () => {
  const budget = new HedgeBudget(RESILIENCE_DEFAULTS);
  while (budget.spend() === "granted");
  for (let call = 0; call < 24; call++) budget.earn();
  assert.equal(budget.spend(), "denied");
  budget.earn();
  assert.equal(budget.spend(), "granted");
});

test("a ratio of nothing, with nothing in reserve, never grants", () => {
  const budget = new HedgeBudget({ hedgeRatio: 0, hedgeReserve: 0 });
  for (let call = 0; call < 1_000; call++) budget.earn();
  assert.equal(budget.spend(), "denied");
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
          } else if (budget.spend() === "granted") extra += 1;
          assert.ok(extra <= hedgeReserve + calls * hedgeRatio + 1e-6);
          assert.ok(budget.saved >= 0 && budget.saved <= hedgeReserve);
        }
      },
    ),
    { numRuns: 300 },
  );
});
