/** Overload: more calls than the regions can serve must not keep them from serving those they can. In virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import { encryptionContext, fleetOf, plaintext, warm } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

/** Requests at a steady rate for some seconds; how many of each second's succeeded. */
async function load(fleet: Fleet, message: Uint8Array, perSecond: number, seconds: number): Promise<readonly number[]> {
  const succeeded = Array<number>(seconds).fill(0);
  const running: Promise<unknown>[] = [];
  for (let request = 0; request < perSecond * seconds; request++) {
    const second = Math.floor(request / perSecond);
    const work =
      request % 5 === 0
        ? encrypt(plaintext, { keyring: fleet.keyring, encryptionContext })
        : decrypt(message, { keyring: fleet.keyring, encryptionContext });
    running.push(
      work.then(
        () => {
          succeeded[second] = (succeeded[second] ?? 0) + 1;
        },
        () => undefined,
      ),
    );
    await fleet.time.advance(1_000 / perSecond);
  }
  await fleet.time.run(Promise.allSettled(running));
  return succeeded;
}

describe("regions that share one machine, at nine tenths of what it can serve", () => {
  for (const stallMs of [0, 1_000, 5_000]) {
    test(`serve everything again soon after a stall of ${stallMs} ms`, async () => {
      const fleet = fleetOf([5, 40, 70], { minimum: 2 });
      const message = await warm(fleet);
      // 100 requests a second, a fifth of them writes of three calls: 140 calls a second at 6.4 ms each.
      const machine = { serviceMs: 6.4, busyUntil: fleet.time.now() + stallMs };
      for (const each of fleet.regions) each.machine = machine;
      const succeeded = await load(fleet, message, 100, 30);
      const settled = succeeded.slice(-10);
      assert.ok(
        settled.every((count) => count >= 99),
        `succeeded in each second: ${succeeded.join(" ")}`,
      );
    });
  }
});

test("regions that can serve half of what is asked go on serving most of that half", async () => {
  const fleet = fleetOf([5, 40, 70], { minimum: 2 });
  const message = await warm(fleet);
  const machine = { serviceMs: 14, busyUntil: 0 };
  for (const each of fleet.regions) each.machine = machine;
  const succeeded = await load(fleet, message, 100, 30);
  const settled = succeeded.slice(-15).reduce((sum, count) => sum + count, 0) / 15;
  assert.ok(settled >= 25, `succeeded in each second: ${succeeded.join(" ")}`);
});
