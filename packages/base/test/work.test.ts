import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { mapBounded, mapInOrder, Turns } from "@strongroom/base/work";

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

test("mapBounded throws the failure that came first, when everything that had begun has ended", async () => {
  const gates = [0, 1, 2].map(() => Promise.withResolvers<undefined>());
  const ended: number[] = [];
  const work = mapBounded([0, 1, 2], 3, async (n) => {
    await gates[n]?.promise;
    ended.push(n);
    throw new Error(`of ${n}`);
  });
  const rejected = assert.rejects(work, /of 1$/);
  for (const n of [1, 2, 0]) {
    gates[n]?.resolve(undefined);
    await delay(1);
  }
  await rejected;
  assert.deepEqual(ended, [1, 2, 0]);
});

async function* upTo(count: number, taken: number[] = []): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) {
    taken.push(n);
    yield n;
  }
}

test("mapInOrder gives results in the order of the inputs, and takes no more inputs than it may work on", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(12), fc.integer({ min: 1, max: 5 }), async (count, concurrency) => {
      const taken: number[] = [];
      let running = 0;
      let most = 0;
      const results: number[] = [];
      const map = mapInOrder(upTo(count, taken), concurrency, async (n) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < (n * 7) % 5; turn++) await Promise.resolve();
        running--;
        return n * 2;
      });
      for await (const result of map) {
        results.push(result);
        assert.ok(taken.length <= results.length + concurrency - 1, "a slow reader holds the source back");
      }
      assert.deepEqual(
        results,
        Array.from({ length: count }, (_, n) => n * 2),
      );
      assert.ok(most <= concurrency);
    }),
  );
});

test("mapInOrder ends when what had begun has ended: on a failure, and when the reader goes away", async () => {
  let running = 0;
  const taken: number[] = [];
  const work = async (n: number): Promise<number> => {
    running++;
    await delay(10 - n);
    running--;
    if (n === 1) throw new Error("stop");
    return n;
  };
  const read = async (until: number): Promise<void> => {
    for await (const n of mapInOrder(upTo(10, taken), 3, work)) if (n === until) return;
  };
  await assert.rejects(read(9), /stop/);
  assert.equal(running, 0);
  assert.ok(taken.length <= 4, "nothing more was taken from the source");
  taken.length = 0;
  await read(0);
  assert.equal(running, 0);
  assert.ok(taken.length <= 3);
});
