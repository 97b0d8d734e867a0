/** One deadline, shared out among attempts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attemptShareMs, remainingMs, startDeadline } from "../../src/resilience/deadline.ts";

test("what is left runs out and never becomes negative", () => {
  const deadline = startDeadline(100, 50);
  assert.equal(remainingMs(deadline, 120), 30);
  assert.equal(remainingMs(deadline, 1_000), 0);
});

test("an attempt gets its share, at most what one attempt may take", () => {
  const deadline = startDeadline(0, 2_000);
  assert.equal(attemptShareMs(deadline, 0, { attemptsLeft: 4, longestMs: 750 }), 500);
  assert.equal(attemptShareMs(deadline, 0, { attemptsLeft: 2, longestMs: 750 }), 750);
  assert.equal(attemptShareMs(deadline, 1_900, { attemptsLeft: 1, longestMs: 750 }), 100);
});

test("silent attempts one after another each get time, and end within the deadline", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 60_000 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 60_000 }),
      (length, attempts, longestMs) => {
        const deadline = startDeadline(0, length);
        let now = 0;
        for (let attemptsLeft = attempts; attemptsLeft > 0; attemptsLeft--) {
          const share = attemptShareMs(deadline, now, { attemptsLeft, longestMs });
          assert.ok(
            share >= Math.min(longestMs, length / attempts) - 1e-6,
            "the last one is not starved by those before it",
          );
          now += share;
        }
        assert.ok(now <= length + 1e-6);
      },
    ),
  );
});
