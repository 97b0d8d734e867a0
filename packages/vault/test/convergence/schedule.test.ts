import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  DEFAULT_REPAIR_SETTINGS,
  originOf,
  Pace,
  parseRepairSettings,
  RegionGate,
  waitMs,
} from "../../src/convergence/schedule.ts";
import type { RegionHealth } from "../../src/convergence/schedule.ts";
import { throwsWith } from "../support/errors.ts";

const health = (region: string, state: RegionHealth["state"]): readonly RegionHealth[] => [{ region, state }];

test("a region that is up is open; one that is down or unknown is tried once in an interval", () => {
  const gate = new RegionGate(100);
  assert.equal(gate.access("a", 0), "trial", "nothing is known of it");
  gate.tried("a", 0);
  assert.deepEqual([gate.access("a", 0), gate.access("a", 99), gate.access("a", 100)], ["closed", "closed", "trial"]);
  gate.look(health("a", "up"));
  assert.equal(gate.access("a", 1), "open");
  gate.look(health("a", "down"));
  assert.deepEqual([gate.access("a", 99), gate.access("a", 100)], ["closed", "trial"]);
});

test("without health a success opens a region and a failure closes it for an interval", () => {
  const gate = new RegionGate(100);
  gate.gained("a");
  assert.equal(gate.access("a", 0), "open");
  gate.missed("a", 50);
  assert.deepEqual([gate.access("a", 50), gate.access("a", 149), gate.access("a", 150)], ["closed", "closed", "trial"]);
});

test("a region that answers but gives no wrap is not hammered, although it seems up", () => {
  const gate = new RegionGate(100);
  gate.look(health("a", "up"));
  gate.missed("a", 10);
  gate.look(health("a", "up"));
  assert.deepEqual([gate.access("a", 11), gate.access("a", 110)], ["closed", "trial"]);
});

test("a region that comes up opens all that failed: what failed in one region may have been another's fault", () => {
  const gate = new RegionGate(100);
  gate.look([
    { region: "a", state: "up" },
    { region: "b", state: "down" },
  ]);
  gate.missed("a", 10);
  assert.equal(
    gate.look([
      { region: "a", state: "up" },
      { region: "b", state: "up" },
    ]),
    true,
  );
  assert.deepEqual([gate.access("a", 11), gate.access("b", 11)], ["open", "open"]);
  assert.equal(
    gate.look([
      { region: "a", state: "up" },
      { region: "b", state: "up" },
    ]),
    false,
  );
});

test("a clock that was set back closes nothing", () => {
  const gate = new RegionGate(100);
  gate.tried("a", 1_000_000);
  assert.equal(gate.access("a", 5), "trial");
});

type Step =
  | { readonly kind: "look"; readonly state: RegionHealth["state"] }
  | { readonly kind: "attempt"; readonly gains: boolean };

test("whatever happens: while a region is not known to be up, failing attempts are an interval apart", () => {
  const steps = fc.oneof(
    fc.record({ kind: fc.constant("look" as const), state: fc.constantFrom("down" as const, "unknown" as const) }),
    fc.record({ kind: fc.constant("attempt" as const), gains: fc.boolean() }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), steps as fc.Arbitrary<Step>), { maxLength: 60 }),
      (steps) => {
        const gate = new RegionGate(100);
        let now = 0;
        let missedAt = Number.NEGATIVE_INFINITY;
        for (const [pause, step] of steps) {
          now += pause;
          if (step.kind === "look") {
            gate.look(health("a", step.state));
            continue;
          }
          const access = gate.access("a", now);
          if (access === "closed") continue;
          assert.ok(now - missedAt >= 100 || missedAt === Number.NEGATIVE_INFINITY);
          if (access === "trial") gate.tried("a", now);
          if (step.gains) {
            gate.gained("a");
            missedAt = Number.NEGATIVE_INFINITY;
          } else {
            gate.missed("a", now);
            missedAt = now;
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});

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
    ["record-tampered", "key-not-configured", "wraps-still-missing", "store-full", "aborted", "keyring-overloaded"].map(
      (code) => originOf(code as never),
    ),
    ["item", "item", "region", "store", "caller", "load"],
  );
});

test("settings that cannot be are refused, all of them at once", () => {
  const error = throwsWith("limit-invalid", () =>
    parseRepairSettings({ atOnce: 0, itemsPerSecond: 1.5, speed: 3 } as never),
  );
  assert.match(error.message, /atOnce.*itemsPerSecond.*speed is not a setting/);
});
