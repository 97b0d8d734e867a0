/**
 * Overload: more calls than the regions can serve must not keep them from serving those they can, and must not look as
 * if regions were lost. In virtual time.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt, encrypt, isEnvelopeError } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { encryptionContext, eventsOf, fleetOf, health, plaintext, region, warm } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

const { operationsAtOnce, operationsWaitMs, stragglerMinMs, callsAtOnce } = MULTI_REGION_DEFAULTS;

interface Outcome {
  /** How many of the requests of each second succeeded. */
  readonly succeeded: number[];
  /** Error code, or reasons of missing wraps of a write that was acknowledged, and how often. */
  readonly others: Record<string, number>;
}

/** Requests at a steady rate for some seconds, each fifth a write; `seconds` 0: all at once. */
async function load(fleet: Fleet, message: Uint8Array, perSecond: number, seconds: number): Promise<Outcome> {
  const succeeded = Array<number>(Math.max(1, seconds)).fill(0);
  const others: Record<string, number> = {};
  const note = (what: string): void => {
    others[what] = (others[what] ?? 0) + 1;
  };
  const running: Promise<unknown>[] = [];
  for (let request = 0; request < perSecond * Math.max(1, seconds); request++) {
    const second = Math.floor(request / perSecond);
    const work =
      request % 5 === 0
        ? encrypt(plaintext, { keyring: fleet.keyring, encryptionContext }).then(({ wraps }) => {
            for (const { reason } of wraps?.missing ?? []) note(`owed: ${reason}`);
          })
        : decrypt(message, { keyring: fleet.keyring, encryptionContext });
    running.push(
      work.then(
        () => {
          succeeded[second] = (succeeded[second] ?? 0) + 1;
        },
        (error: unknown) => {
          note(isEnvelopeError(error) ? error.code : String(error));
        },
      ),
    );
    if (seconds > 0) await fleet.time.advance(1_000 / perSecond);
  }
  await fleet.time.run(Promise.allSettled(running));
  return { succeeded, others };
}

const perSecondIn = (counts: readonly number[]): number =>
  counts.reduce((sum, count) => sum + count, 0) / counts.length;

describe("regions that share one machine, at nine tenths of what it can serve", () => {
  for (const stallMs of [0, 1_000, 5_000]) {
    test(`serve everything again soon after a stall of ${stallMs} ms`, async () => {
      const fleet = fleetOf([5, 40, 70], { minimum: 2 });
      const message = await warm(fleet);
      // 100 requests a second, a fifth of them writes of three calls: 140 calls a second at 6.4 ms each.
      const machine = { serviceMs: 6.4, busyUntil: fleet.time.now() + stallMs };
      for (const each of fleet.regions) each.machine = machine;
      const { succeeded } = await load(fleet, message, 100, 30);
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
  const { succeeded } = await load(fleet, message, 100, 30);
  const settled = perSecondIn(succeeded.slice(-15));
  assert.ok(settled >= 25, `succeeded in each second: ${succeeded.join(" ")}`);
});

/** Calls that one machine serves in a second, and whether the regions share it. */
const MACHINES = [
  { name: "each region on a machine of its own", serviceMs: 6.4, shared: false },
  { name: "all regions on one machine", serviceMs: 2, shared: true },
  { name: "all regions on one slow machine", serviceMs: 6.4, shared: true },
] as const;

describe("while every region is well, what is too much is refused, and no region is taken for lost", () => {
  for (const { name, serviceMs, shared } of MACHINES) {
    const fleetOn = async (): Promise<{ readonly fleet: Fleet; readonly message: Uint8Array }> => {
      const fleet = fleetOf([5, 40, 70], { minimum: 2 });
      const message = await warm(fleet);
      const one = { serviceMs, busyUntil: 0 };
      for (const each of fleet.regions) each.machine = shared ? one : { ...one };
      return { fleet, message };
    };
    // Of five requests one is a write; on one machine that is seven calls, else the nearest region has five of them.
    const capacity = Math.floor(1_000 / serviceMs / (shared ? 1.4 : 1));

    const openings = async (work: () => Promise<unknown>): Promise<number> =>
      (await eventsOf(work)).filter((event) => event.kind === "breaker" && event.to === "open").length;

    test(`${name}: once, three and ten times what they can serve`, async (t) => {
      const goodput: number[] = [];
      for (const times of [1, 3, 10]) {
        const { fleet, message } = await fleetOn();
        let outcome: Outcome = { succeeded: [], others: {} };
        const opened = await openings(async () => {
          outcome = await load(fleet, message, capacity * times, 2);
        });
        assert.equal(opened, 0, `breakers opened at ${times} times`);
        assert.deepEqual(
          Object.keys(outcome.others).filter((code) => code !== "keyring-overloaded"),
          [],
        );
        assert.ok(
          fleet.keyring.health().every(({ failures, breaker }) => failures === 0 && breaker.state === "closed"),
        );
        goodput.push(perSecondIn(outcome.succeeded));
      }
      const asked = [1, 3, 10].map((times) => capacity * times).join(", ");
      t.diagnostic(`asked ${asked}, answered ${goodput.join(", ")} a second`);
      assert.ok((goodput[2] ?? 0) >= 0.8 * Math.max(...goodput), `answered in a second: ${goodput.join(", ")}`);
    });

    test(`${name}: two thousand at once`, async () => {
      const { fleet, message } = await fleetOn();
      let outcome: Outcome = { succeeded: [], others: {} };
      const opened = await openings(async () => {
        outcome = await load(fleet, message, 2_000, 0);
      });
      assert.equal(opened, 0);
      assert.deepEqual(Object.keys(outcome.others), ["keyring-overloaded"]);
      assert.equal(fleet.keyring.counters().overloaded, outcome.others["keyring-overloaded"]);
      // Right afterwards nothing is missing from anything.
      const { value } = await fleet.write();
      assert.deepEqual(value.wraps?.missing, []);
    });
  }
});

test("a region that was just lost answers all reads when all others are lost at once", async () => {
  for (const fault of ["black-hole", "refused"] as const) {
    const fleet = fleetOf([5, 40, 70], { minimum: 2 });
    const message = await warm(fleet);
    const far = region(fleet, 2);
    const read = (): Promise<unknown> => decrypt(message, { keyring: fleet.keyring, encryptionContext });
    const reads = async (seconds: number): Promise<readonly PromiseSettledResult<unknown>[]> => {
      const running: Promise<unknown>[] = [];
      for (let request = 0; request < 200 * seconds; request++) {
        const one = read();
        one.catch(() => undefined);
        running.push(one);
        await fleet.time.advance(5);
      }
      return (await fleet.time.run(Promise.allSettled(running))).value;
    };
    // Silent until few calls at once are all that it is asked for.
    far.fault = "black-hole";
    for (let write = 0; write < 10; write++) await fleet.write();
    for (const each of fleet.regions) if (each !== far) each.fault = fault;
    const lost = await fleet.time.run(Promise.allSettled(Array.from({ length: 40 }, read)));
    assert.ok(lost.value.every(({ status }) => status === "rejected"));
    for (const each of fleet.regions) each.fault = null;
    await reads(6);
    assert.equal(health(fleet, 2).breaker.state, "closed");
    for (const each of fleet.regions) if (each !== far) each.fault = fault;
    const refused = (await reads(3)).filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 0, `${fault}: ${refused.length} of 600 reads`);
  }
});

describe("our own queue", () => {
  test("is bounded: what is more than may wait is refused at once, before any region is asked", async () => {
    const fleet = fleetOf([5, 40], { callsAtOnce: 50, operationsAtOnce: 4, operationsWaiting: 2 });
    const message = await warm(fleet);
    const before = fleet.regions.map(({ calls }) => calls);
    const results = Promise.allSettled(
      Array.from({ length: 10 }, () => decrypt(message, { keyring: fleet.keyring, encryptionContext })),
    );
    const { value } = await fleet.time.run(results);
    const refused = value.filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 4);
    for (const each of refused) {
      assert.ok(each.status === "rejected" && isEnvelopeError(each.reason));
      assert.equal(each.reason.code, "keyring-overloaded");
    }
    assert.deepEqual(
      fleet.regions.map(({ calls }, index) => calls - (before[index] ?? 0)),
      [6, 0],
    );
  });

  test("is short: who waits for longer than may be is refused, whatever the deadline", async () => {
    const fleet = fleetOf([1_000], { attemptTimeoutMs: 1_500, callsAtOnce: 50, operationsAtOnce: 1 });
    const { message } = (await fleet.write()).value;
    const [first, second] = [0, 1].map(() => decrypt(message, { keyring: fleet.keyring, encryptionContext }));
    assert.ok(first !== undefined && second !== undefined);
    first.catch(() => undefined);
    const { value, elapsedMs } = await fleet.time.run(Promise.allSettled([second]));
    assert.equal(value[0].status, "rejected");
    assert.equal(elapsedMs, operationsWaitMs);
    await fleet.time.run(first);
  });

  test("of writes is apart from that of reads: writes that hang stop no read", async () => {
    const fleet = fleetOf([5, 40, 70], { minimum: 3 });
    const message = await warm(fleet);
    region(fleet, 1).fault = "black-hole";
    region(fleet, 2).fault = "black-hole";
    const writes = Array.from({ length: 2 * operationsAtOnce }, () =>
      encrypt(plaintext, { keyring: fleet.keyring, encryptionContext }),
    );
    const hanging = Promise.allSettled(writes);
    await fleet.time.advance(100);
    assert.equal(await fleet.read(message), 5);
    const { value } = await fleet.time.run(hanging);
    assert.ok(value.every(({ status }) => status === "rejected"));
  });

  test("takes nothing off the time of an attempt, and none of it counts against the region", async () => {
    // One call at a time to each: the last of twenty waits far longer for its turn than any attempt may take.
    const one = { callsAtOnce: 1, callsAtOnceMin: 1, callsAtOnceMax: 1 };
    const fleet = fleetOf([5, 100], { minimum: 1, attemptTimeoutMs: 150, deadlineMs: 10_000, ...one });
    await warm(fleet);
    const writes = Array.from({ length: 5 }, () => encrypt(plaintext, { keyring: fleet.keyring, encryptionContext }));
    const { value } = await fleet.time.run(Promise.all(writes));
    for (const { wraps } of value) assert.deepEqual(wraps?.missing, []);
    assert.ok(fleet.keyring.health().every(({ failures }) => failures === 0));
    assert.ok(5 * 100 > stragglerMinMs);
  });

  test("what it keeps from being asked until the deadline is refused, not owed by the region", async () => {
    const one = { callsAtOnce: 1, callsAtOnceMin: 1, callsAtOnceMax: 1 };
    const fleet = fleetOf([5, 40], { minimum: 1, deadlineMs: 200, ...one });
    await warm(fleet);
    // A probe of all regions is let in without a place, and keeps the only call that the second region takes, until the
    // write has no more than ten milliseconds.
    region(fleet, 1).rttMs = 600;
    const probe = fleet.keyring.probe();
    await fleet.time.advance(10);
    const write = encrypt(plaintext, { keyring: fleet.keyring, encryptionContext });
    const { value } = await fleet.time.run(Promise.allSettled([write]));
    assert.ok(value[0].status === "rejected" && isEnvelopeError(value[0].reason));
    assert.equal(value[0].reason.code, "keyring-overloaded");
    await fleet.time.run(probe);
    assert.equal(health(fleet, 1).breaker.state, "closed");
  });
});

describe("a region that is slow with what it is asked, and answers", () => {
  test("is given up by no write, and its breaker stays closed, while it answers others", async () => {
    const fleet = fleetOf([5, 40, 70], { minimum: 2 });
    await warm(fleet);
    // Its answers come one after another, 60 ms apart.
    region(fleet, 2).machine = { serviceMs: 60, busyUntil: 0 };
    const writes = Array.from({ length: 8 }, () => encrypt(plaintext, { keyring: fleet.keyring, encryptionContext }));
    const { value, elapsedMs } = await fleet.time.run(Promise.all(writes));
    assert.ok(elapsedMs > stragglerMinMs);
    for (const { wraps } of value) assert.deepEqual(wraps?.missing, []);
    assert.equal(health(fleet, 2).failures, 0);
  });

  test("is asked less at once, and more again when it is as fast as before", async () => {
    const fleet = fleetOf([5], { minimum: 1 });
    const message = await warm(fleet);
    region(fleet, 0).machine = { serviceMs: 40, busyUntil: 0 };
    const limit = (): number => health(fleet, 0).callsAtOnce.limit;
    const reads = (count: number): Promise<unknown> =>
      fleet.time.run(
        Promise.allSettled(
          Array.from({ length: count }, () => decrypt(message, { keyring: fleet.keyring, encryptionContext })),
        ),
      );
    await reads(20);
    const slowed = limit();
    assert.ok(slowed < callsAtOnce, `${slowed}`);
    region(fleet, 0).machine = null;
    await reads(200);
    assert.ok(limit() > 2 * slowed, `${limit()} after ${slowed}`);
  });
});
