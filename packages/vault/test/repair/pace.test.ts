import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pace } from "../../src/repair/pace.ts";
import { DEFAULT_REPAIR_SETTINGS, parseRepairSettings } from "../../src/repair/settings.ts";
import { faultOf, waitMs } from "../../src/repair/waits.ts";
import { throwsWith } from "../support/errors.ts";

test("starts are never closer than the rate allows, and nothing is saved up for a burst", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 50 }),
      (rate, pauses) => {
        const pace = new Pace(rate);
        let now = 0;
        let last = Number.NEGATIVE_INFINITY;
        for (const pause of pauses) {
          now += pause;
          const start = now + pace.turn(now);
          assert.ok(start - last >= 1000 / rate - 1e-6);
          last = start;
        }
      },
    ),
  );
});

test("a clock that is set back does not stop the pace", () => {
  const pace = new Pace(10);
  pace.turn(1e12);
  assert.equal(pace.turn(0), 0);
});

test("waits double up to their longest, and are short only where a region was the reason", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 60].map((failures) => waitMs("region", failures, DEFAULT_REPAIR_SETTINGS)),
    [1000, 2000, 4000, 8000, 10_000, 10_000],
  );
  assert.deepEqual(
    [1, 2, 60].map((failures) => waitMs("item", failures, DEFAULT_REPAIR_SETTINGS)),
    [60_000, 120_000, 3_600_000],
  );
  assert.deepEqual(
    ["record-tampered", "key-not-configured", "wraps-still-missing", "store-full", "aborted"].map((code) =>
      faultOf(code as never),
    ),
    ["item", "item", "region", "store", "caller"],
  );
});

test("settings that can not be are refused, all of them at once", () => {
  const error = throwsWith("limit-invalid", () =>
    parseRepairSettings({ atOnce: 0, itemsPerSecond: 1.5, speed: 3 } as never),
  );
  assert.match(error.message, /atOnce.*itemsPerSecond.*speed is not a setting/);
});
