import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegionGate } from "../../src/repair/region-gate.ts";
import type { RegionSight } from "../../src/repair/region-gate.ts";

const sight = (region: string, state: RegionSight["state"]): readonly RegionSight[] => [{ region, state }];

test("a region that is up is open; one that is down or unknown is tried once in an interval", () => {
  const gate = new RegionGate(100);
  assert.equal(gate.lane("a", 0), "trial", "nothing is known of it");
  gate.tried("a", 0);
  assert.deepEqual([gate.lane("a", 0), gate.lane("a", 99), gate.lane("a", 100)], ["closed", "closed", "trial"]);
  gate.look(sight("a", "up"));
  assert.equal(gate.lane("a", 1), "open");
  gate.look(sight("a", "down"));
  assert.deepEqual([gate.lane("a", 99), gate.lane("a", 100)], ["closed", "trial"]);
});

test("without health a success opens a region and a failure closes it for an interval", () => {
  const gate = new RegionGate(100);
  gate.gained("a");
  assert.equal(gate.lane("a", 0), "open");
  gate.missed("a", 50);
  assert.deepEqual([gate.lane("a", 50), gate.lane("a", 149), gate.lane("a", 150)], ["closed", "closed", "trial"]);
});

test("a region that answers but gives no wrap is not hammered, although it seems up", () => {
  const gate = new RegionGate(100);
  gate.look(sight("a", "up"));
  gate.missed("a", 10);
  gate.look(sight("a", "up"));
  assert.deepEqual([gate.lane("a", 11), gate.lane("a", 110)], ["closed", "trial"]);
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
  assert.deepEqual([gate.lane("a", 11), gate.lane("b", 11)], ["open", "open"]);
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
  assert.equal(gate.lane("a", 5), "trial");
});

type Step =
  | { readonly kind: "look"; readonly state: RegionSight["state"] }
  | { readonly kind: "attempt"; readonly gains: "yes" | "no" };

test("whatever happens: while a region is not known to be up, failing attempts are an interval apart", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("look" as const), state: fc.constantFrom("down" as const, "unknown" as const) }),
    fc.record({ kind: fc.constant("attempt" as const), gains: fc.constantFrom("yes" as const, "no" as const) }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), step as fc.Arbitrary<Step>), { maxLength: 60 }),
      (steps) => {
        const gate = new RegionGate(100);
        let now = 0;
        let missedAt = Number.NEGATIVE_INFINITY;
        for (const [pause, one] of steps) {
          now += pause;
          if (one.kind === "look") {
            gate.look(sight("a", one.state));
            continue;
          }
          const lane = gate.lane("a", now);
          if (lane === "closed") continue;
          assert.ok(now - missedAt >= 100 || missedAt === Number.NEGATIVE_INFINITY);
          if (lane === "trial") gate.tried("a", now);
          if (one.gains === "yes") {
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
