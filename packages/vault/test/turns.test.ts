import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { mapBounded } from "../src/bounded.ts";
import { Turns } from "../src/turns.ts";

test("work under one key runs one after the other in order; work under other keys does not wait", async () => {
  const turns = new Turns();
  const events: string[] = [];
  const work = (key: string, name: string, ms: number): Promise<void> =>
    turns.take(key, async () => {
      events.push(`${name} begins`);
      await delay(ms);
      events.push(`${name} ends`);
    });
  await Promise.all([work("a", "a1", 20), work("a", "a2", 1), work("b", "b1", 1)]);
  assert.deepEqual(
    events.filter((event) => event.startsWith("a")),
    ["a1 begins", "a1 ends", "a2 begins", "a2 ends"],
  );
  assert.ok(events.indexOf("b1 ends") < events.indexOf("a1 ends"));
});

test("a failure is its own turn's", async () => {
  const turns = new Turns();
  const failing = turns.take("a", async () => {
    throw new Error("mine");
  });
  const next = turns.take("a", async () => "fine");
  await assert.rejects(failing, /mine/);
  assert.equal(await next, "fine");
});

test("mapBounded keeps order, runs no more than allowed at once, and ends on the first failure", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      fc.option(fc.nat(19)),
      async (pauses, concurrency, failAt) => {
        let running = 0;
        let most = 0;
        let started = 0;
        const work = mapBounded(pauses, concurrency, async (pause, index) => {
          started++;
          most = Math.max(most, ++running);
          for (let n = 0; n < pause; n++) await Promise.resolve();
          running--;
          if (index === failAt) throw new Error("stop");
          return index * 2;
        });
        if (failAt !== null && failAt < pauses.length) {
          await assert.rejects(work, /stop/);
          assert.equal(running, 0, "what had begun has ended");
          assert.ok(started <= failAt + 1 + 2 * concurrency + 20);
        } else
          assert.deepEqual(
            await work,
            pauses.map((_, index) => index * 2),
          );
        assert.ok(most <= concurrency);
      },
    ),
  );
});
