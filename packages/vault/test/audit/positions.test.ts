/**
 * Sets of positions, held against sets of numbers; and as an entry tells them.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { positionsOf, PositionSet, positionsText } from "../../src/audit/positions.ts";
import type { PositionRange } from "../../src/stores/audit-log.ts";

/** Repeatable. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

const rangesOf = (all: ReadonlySet<number>): readonly PositionRange[] => {
  const ranges: { from: number; to: number }[] = [];
  for (const position of [...all].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === position) last.to = position + 1;
    else ranges.push({ from: position, to: position + 1 });
  }
  return ranges;
};

test("a set of ranges has what a set of numbers has", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = numbers(seed);
    const below = 10 + next(seed % 3 === 0 ? 5000 : 60);
    const made = [0, 1].map(() => {
      const [set, all] = [new PositionSet(), new Set<number>()];
      for (let count = next(seed % 3 === 0 ? 4000 : 30); count > 0; count--) {
        const from = next(below);
        const to = from + next(5);
        set.add({ from, to });
        for (let position = from; position < to; position++) all.add(position);
      }
      return { set, all };
    });
    const [one, other] = made as [(typeof made)[number], (typeof made)[number]];
    assert.deepEqual(one.set.ranges, rangesOf(one.all));
    assert.equal(one.set.count, one.all.size);
    assert.deepEqual(
      one.set.without(other.set),
      rangesOf(new Set([...one.all].filter((each) => !other.all.has(each)))),
    );
    for (let position = 0; position < below + 5; position++)
      assert.equal(one.set.has(position), one.all.has(position), `${seed}: ${position}`);
    for (let count = 0; count < 20; count++) {
      const [from, size] = [next(below), 1 + next(6)];
      const isIn = Array.from({ length: size }, (_, index) => from + index).some((position) => one.all.has(position));
      assert.equal(one.set.hasWithin({ from, to: from + size }), isIn);
    }
    assert.deepEqual(positionsOf(positionsText(one.set.ranges)), one.set.ranges);
  }
});

test("what tells no positions tells none", () => {
  assert.deepEqual(positionsOf("0-411,414"), [
    { from: 0, to: 412 },
    { from: 414, to: 415 },
  ]);
  for (const text of ["", ",", "1-", "-1", "1,,2", "1-2-3", " 1", "1e3", "0x1", "1".repeat(16), 7, null, undefined])
    assert.deepEqual(positionsOf(text), []);
});
