/** The machine's clock, as the policy uses it, and one deadline shared out among attempts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { Deadline, systemTime } from "../../src/resilience/time.ts";

test("an answer that arrived while this process was busy is heard before a timer that ran out meanwhile", async () => {
  const server = createServer((socket) => socket.end("answer")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const heard: string[] = [];
  socket.on("data", () => heard.push("answer"));
  const timeOut = new Promise<void>((resolve) => {
    systemTime.after(5, () => {
      heard.push("time-out");
      resolve();
    });
  });
  // The server has to accept and answer before this process pauses.
  await new Promise((resolve) => setImmediate(resolve));
  for (const end = performance.now() + 30; performance.now() < end;);
  await timeOut;
  await once(socket, "close");
  server.close();
  assert.equal(heard[0], "answer");
});

test("a cancelled timer does not fire", async () => {
  let fired = 0;
  const cancel = systemTime.after(1, () => {
    fired += 1;
  });
  cancel();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(fired, 0);
});

/** A deadline under a clock that is set. */
function deadlineAt(
  startsAt: number,
  deadlineMs: number,
): { readonly deadline: Deadline; readonly set: (now: number) => void } {
  let now = startsAt;
  const time = { now: () => now, after: () => () => undefined };
  return {
    deadline: new Deadline({ time, deadlineMs, signal: undefined }),
    set: (to) => {
      now = to;
    },
  };
}

test("what is left runs out and never becomes negative", () => {
  const { deadline, set } = deadlineAt(100, 50);
  set(120);
  assert.equal(deadline.leftMs, 30);
  set(1_000);
  assert.equal(deadline.leftMs, 0);
});

test("an attempt gets its share, at most what one attempt may take", () => {
  const { deadline, set } = deadlineAt(0, 2_000);
  assert.equal(deadline.shareMs(4, 750), 500);
  assert.equal(deadline.shareMs(2, 750), 750);
  set(1_900);
  assert.equal(deadline.shareMs(1, 750), 100);
});

test("silent attempts one after another each get time, and end within the deadline", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 60_000 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 60_000 }),
      (length, attempts, longestMs) => {
        const { deadline, set } = deadlineAt(0, length);
        let now = 0;
        for (let attemptsLeft = attempts; attemptsLeft > 0; attemptsLeft--) {
          set(now);
          const share = deadline.shareMs(attemptsLeft, longestMs);
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
