import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { verdict } from "../../src/repair/verdict.ts";
import type { WrapPlace } from "../../src/repair/verdict.ts";
import type { MissingWrap } from "@strongroom/vault";
import { throwsWith } from "../support/errors.ts";

const wrap = (region: string | null, keyInfo = `key-${region ?? "raw"}`): WrapPlace => ({
  providerId: "aws-kms",
  keyInfo,
  region,
});
const wraps = (...regions: readonly string[]): readonly WrapPlace[] => regions.map((region) => wrap(region));
const missing = (...regions: readonly string[]): readonly MissingWrap[] =>
  regions.map((region) => ({ region, keyArn: `key-${region}`, reason: "refused" }));

test("a message with every region of the old one and more takes its place", () => {
  assert.deepEqual(verdict(wraps("a", "b"), wraps("a", "b", "c"), []), { kind: "replace", gained: ["c"] });
  assert.deepEqual(verdict(wraps("a"), wraps("b", "a"), missing("c")), { kind: "replace", gained: ["b"] });
});

test("another key of the same region is a wrap in that region", () => {
  assert.deepEqual(verdict([wrap("a", "old key")], [wrap("a", "new key"), wrap("b")], []), {
    kind: "replace",
    gained: ["b"],
  });
});

test("what has no region is a place by its key", () => {
  assert.deepEqual(verdict([wrap(null, "k1")], [wrap(null, "k1"), wrap(null, "k2")], []), {
    kind: "replace",
    gained: ["aws-kms k2"],
  });
  throwsWith("wraps-would-be-lost", () => verdict([wrap(null, "k1")], [wrap(null, "k2"), wrap(null, "k3")], []));
});

test("a message that is no better is settled when nothing is missing, and a failure of the regions when something is", () => {
  assert.deepEqual(verdict(wraps("a", "b"), wraps("a", "b"), []), { kind: "settled" });
  const error = throwsWith("wraps-still-missing", () => verdict(wraps("a", "b"), wraps("a", "b"), missing("c")));
  assert.deepEqual(error.regions, [{ region: "c", reason: "refused" }]);
});

test("a message that would lose a region is refused, whether the region failed or is not wanted any more", () => {
  throwsWith("wraps-still-missing", () => verdict(wraps("a", "b"), wraps("a", "c"), missing("b")));
  throwsWith("wraps-would-be-lost", () => verdict(wraps("a", "b"), wraps("a", "c", "d"), []));
});

test("whatever the wraps are: what takes the place has all the old places, more of them, and no fewer wraps", () => {
  const place = fc.record({
    providerId: fc.constantFrom("aws-kms", "raw"),
    keyInfo: fc.constantFrom("k1", "k2"),
    region: fc.constantFrom("a", "b", "c", null),
  });
  const name = ({ region, providerId, keyInfo }: WrapPlace): string => region ?? `${providerId} ${keyInfo}`;
  fc.assert(
    fc.property(
      fc.array(place, { minLength: 1, maxLength: 5 }),
      fc.array(place, { minLength: 1, maxLength: 5 }),
      fc.subarray(["a", "b", "c"]),
      (before, after, owed) => {
        const had = new Set(before.map(name));
        const has = new Set(after.map(name));
        let judged;
        try {
          judged = verdict(before, after, missing(...owed));
        } catch {
          return;
        }
        assert.ok([...had].every((one) => has.has(one)));
        assert.ok(after.length >= before.length);
        if (judged.kind === "replace")
          assert.deepEqual(
            judged.gained,
            [...has].filter((one) => !had.has(one)),
          );
        else assert.deepEqual([had, owed], [has, []]);
      },
    ),
    { numRuns: 2000 },
  );
});
