/** Whom the multi-region keyring asks, and whom not: decision by decision, in virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { rejectsWith } from "../support/errors.ts";
import { callsOf, encryptionContext, eventsOf, fleetOf, health, region, warm } from "../support/fleet.ts";

const { breakerStrikes, hedgeReserve, hedgeRatio, lastResortCalls } = MULTI_REGION_DEFAULTS;

describe("hedging", () => {
  test("asks the next region beside a silent one after its p95, and is counted", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "black-hole";
    assert.equal(await fleet.read(message), 20 + 40);
    const { hedges, hedgesWon } = fleet.keyring.counters();
    assert.deepEqual([hedges, hedgesWon, health(fleet, 0).overtaken], [1, 1, 1]);
  });

  test("does not happen while regions are as fast as usual", async () => {
    const fleet = fleetOf([5, 40, 70]);
    const message = await warm(fleet);
    for (let read = 0; read < 100; read++) assert.equal(await fleet.read(message), 5);
    assert.equal(fleet.keyring.counters().hedges, 0);
  });

  test("costs at most its share of extra calls when a region is merely slow now and then", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    const before = fleet.keyring.counters().hedges;
    for (let read = 0; read < 1_000; read++) {
      region(fleet, 0).rttMs = read % 4 === 0 ? 150 : 5;
      await fleet.read(message);
    }
    const { hedges, hedgesDenied } = fleet.keyring.counters();
    assert.ok(hedges - before <= hedgeReserve + 1_000 * hedgeRatio);
    assert.ok(hedgesDenied > 0);
  });

  test("is never done once a region throttles: the next one is asked and nobody else", async () => {
    const fleet = fleetOf([5, 40, 70]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "throttled";
    region(fleet, 1).rttMs = 400;
    const [, , third] = callsOf(fleet);
    assert.equal(await fleet.read(message), 5 + 400);
    assert.equal(callsOf(fleet)[2], third);
  });
});

describe("a region that is lost", () => {
  test("is asked no more after three failures, but probed by reads that do not wait for it", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "black-hole";
    for (let read = 0; read < breakerStrikes; read++) await fleet.read(message);
    const asked = region(fleet, 0).calls;
    for (let second = 0; second < 30; second++) {
      for (let read = 0; read < 20; read++) assert.equal(await fleet.read(message), 40);
      await fleet.time.advance(200);
    }
    const probes = region(fleet, 0).calls - asked;
    assert.ok(probes >= 5 && probes <= 15, `${probes} probes in 30 s of 600 reads`);
  });

  test("is noticed within 5 s of its return, by real calls", async () => {
    for (const outageMs of [2_000, 10_000, 60_000]) {
      const fleet = fleetOf([5, 40]);
      const message = await warm(fleet);
      region(fleet, 0).fault = "refused";
      for (const end = fleet.time.now() + outageMs; fleet.time.now() < end;) {
        await fleet.read(message);
        await fleet.time.advance(500);
      }
      region(fleet, 0).fault = null;
      const backAt = fleet.time.now();
      while (health(fleet, 0).state !== "up") {
        await fleet.read(message);
        await fleet.time.advance(500);
      }
      assert.ok(fleet.time.now() - backAt <= 5_000, `${fleet.time.now() - backAt} ms`);
      assert.equal(await fleet.read(message), 5, "and is the nearest again");
    }
  });

  test("releases every call that waits for it when its breaker opens", async () => {
    const fleet = fleetOf([5, 40], { hedgeReserve: breakerStrikes, hedgeRatio: 0, callsAtOnce: 32 });
    const message = await warm(fleet);
    region(fleet, 0).fault = "black-hole";
    const reads = Array.from({ length: 20 }, () => decrypt(message, { keyring: fleet.keyring, encryptionContext }));
    const { elapsedMs } = await fleet.time.run(Promise.all(reads));
    // Three hedges after 20 ms win at 60 ms and open it; the other seventeen reads, denied a hedge, go on from there.
    assert.equal(elapsedMs, 20 + 40 + 40);
  });

  test("is still asked when no other region is left", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "refused";
    for (let read = 0; read < breakerStrikes; read++) await fleet.read(message);
    assert.equal(health(fleet, 0).breaker.state, "open");
    // The first is back, though nobody knows yet, and now the second is lost.
    region(fleet, 0).fault = null;
    region(fleet, 1).fault = "refused";
    assert.equal(await fleet.read(message), 40 + 5);
    assert.equal(health(fleet, 0).breaker.state, "closed");
  });

  test("is asked by a write that would else miss its minimum", async () => {
    const fleet = fleetOf([5, 40], { minimum: 2 });
    await warm(fleet);
    region(fleet, 1).fault = "refused";
    for (let write = 0; write < breakerStrikes; write++) await rejectsWith(fleet.write(), "wraps-below-minimum");
    assert.equal(health(fleet, 1).breaker.state, "open");
    region(fleet, 1).fault = null;
    const { value } = await fleet.write();
    assert.equal(value.wraps?.stored.length, 2);
  });
});

describe("when every region is lost", () => {
  test("few calls at a time look for one that is back, and all that wait are served once it is", async () => {
    const fleet = fleetOf([5, 40, 70]);
    const message = await warm(fleet);
    for (const each of fleet.regions) each.fault = "black-hole";
    await assert.rejects(fleet.read(message));
    for (let read = 0; read < breakerStrikes; read++) await assert.rejects(fleet.read(message));
    assert.ok(fleet.keyring.health().every(({ breaker }) => breaker.state !== "closed"));
    const before = callsOf(fleet);
    const reads = Array.from({ length: 100 }, () => decrypt(message, { keyring: fleet.keyring, encryptionContext }));
    await fleet.time.advance(400);
    for (const [index, calls] of callsOf(fleet).entries())
      assert.ok(calls - (before[index] ?? 0) <= lastResortCalls + 1, "flooded");
    for (const each of fleet.regions) each.fault = null;
    const { value } = await fleet.time.run(Promise.allSettled(reads));
    assert.equal(value.filter(({ status }) => status === "fulfilled").length, 100);
  });
});

describe("a region that throttles", () => {
  test("is asked less, not never, and freely again once it is calm", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "throttled";
    await fleet.read(message);
    const asked = region(fleet, 0).calls;
    for (let read = 0; read < 100; read++) await fleet.read(message);
    assert.ok(region(fleet, 0).calls - asked < 20, "flooded");
    assert.ok(region(fleet, 0).calls - asked > 0, "given up");
    assert.ok((health(fleet, 0).callsPerSecond ?? 0) >= 1);
    assert.equal(health(fleet, 0).breaker.state, "closed");
    region(fleet, 0).fault = null;
    await fleet.time.advance(5_000);
    for (let read = 0; read < 20; read++) assert.equal(await fleet.read(message), 5);
  });
});

describe("a region that lies", () => {
  for (const fault of ["wrong-key-id", "wrong-key-length", "wrong-data-key"] as const) {
    test(`is quarantined at once with an alarm, and believed after three honest answers: ${fault}`, async () => {
      const fleet = fleetOf([5, 40]);
      const message = await warm(fleet);
      region(fleet, 0).fault = fault;
      const events = await eventsOf(() => fleet.read(message));
      assert.deepEqual(
        events.filter(({ kind }) => kind === "alarm").map((event) => event.kind === "alarm" && event.reason),
        [fault],
      );
      assert.equal(health(fleet, 0).breaker.quarantined, true);
      assert.equal(health(fleet, 0).alarm?.kind, fault);
      assert.equal(await fleet.read(message), 40);
      region(fleet, 0).fault = null;
      await fleet.time.advance(1_000);
      for (let honest = 0; honest < 3; honest++) {
        assert.equal(health(fleet, 0).breaker.quarantined, true, `trusted after ${honest} answers`);
        await fleet.read(message);
      }
      assert.equal(health(fleet, 0).breaker.state, "closed");
      assert.equal(health(fleet, 0).alarm, null);
    });
  }

  test("is found out even when its answer comes after the honest one", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "refused";
    for (let read = 0; read < breakerStrikes; read++) await fleet.read(message);
    // Back, slower than the other region, and lying: a probe that loses the race.
    Object.assign(region(fleet, 0), { fault: "wrong-data-key", rttMs: 100 });
    await fleet.time.advance(1_000);
    assert.equal(await fleet.read(message), 40);
    await fleet.time.advance(200);
    assert.equal(health(fleet, 0).breaker.quarantined, true);
  });

  test("a message that no region's key opens closes no region", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    for (const each of fleet.regions) each.fault = "wrong-data-key";
    for (let read = 0; read < 10; read++) await rejectsWith(fleet.read(message), "decryption-failed");
    assert.deepEqual(
      fleet.keyring.health().map(({ breaker }) => breaker.state),
      ["closed", "closed"],
    );
  });

  test("one caller's denial closes no region for the others", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "access-denied";
    for (let read = 0; read < 10; read++) assert.equal(await fleet.read(message), 45);
    region(fleet, 0).fault = null;
    assert.equal(await fleet.read(message), 5);
  });
});

describe("a key that is disabled", () => {
  test("is left alone at once, with one alarm", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    region(fleet, 0).fault = "key-disabled";
    const before = region(fleet, 0).calls;
    const events = await eventsOf(async () => {
      for (let read = 0; read < 5; read++) await fleet.read(message);
    });
    assert.equal(region(fleet, 0).calls - before, 1);
    assert.equal(events.filter(({ kind }) => kind === "alarm").length, 1);
  });
});
