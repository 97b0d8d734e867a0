/** How the multi-region keyring writes, ends, matches keys and shows what it does, in virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { callsOf, encryptionContext, eventsOf, fleetOf, health, plaintext, region, warm } from "../support/fleet.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";
import { SimulatedRegion } from "../support/simulated-region.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const { breakerStrikes, stragglerMinMs } = MULTI_REGION_DEFAULTS;

describe("substitutes", () => {
  const eu = { group: "europe" };
  const us = { group: "america" };
  const substitute = { role: "substitute" } as const;

  test("are asked for nothing while the preferred regions are well", async () => {
    const fleet = fleetOf([5, 40, 40, 70], { minimum: 2 }, [eu, eu, { ...eu, ...substitute }, us]);
    const { value } = await fleet.write();
    assert.deepEqual(
      value.wraps?.stored.map((stored) => stored.region),
      ["eu-west-1", "eu-west-2", "eu-west-4"],
    );
    assert.equal(callsOf(fleet)[2], 0);
  });

  test("step in for a region of their group that fails, so that the target is reached, also while it rests", async () => {
    const fleet = fleetOf([5, 40, 40, 70], { minimum: 2 }, [eu, eu, { ...eu, ...substitute }, us]);
    await warm(fleet);
    region(fleet, 1).fault = "refused";
    for (let write = 0; write < 5; write++) {
      const { value } = await fleet.write();
      assert.deepEqual(
        value.wraps?.stored.map((stored) => stored.region),
        ["eu-west-1", "eu-west-3", "eu-west-4"],
      );
      assert.deepEqual(value.wraps.missing, []);
      await fleet.read(value.message);
    }
    assert.equal(fleet.keyring.counters().substitutions, 5);
  });

  test("step in for a silent region without waiting for its time-out", async () => {
    const fleet = fleetOf([5, 40, 40, 70], { minimum: 2 }, [eu, eu, { ...eu, ...substitute }, us]);
    await warm(fleet);
    region(fleet, 1).fault = "black-hole";
    const { value, elapsedMs } = await fleet.write();
    assert.deepEqual(value.wraps?.missing, []);
    assert.ok(elapsedMs <= 5 + stragglerMinMs + 40 + 1, `${elapsedMs} ms`);
  });

  test("do not step in for a region of another group: the key stays in its area", async () => {
    const fleet = fleetOf([5, 40, 40, 70], { minimum: 2 }, [eu, eu, { ...eu, ...substitute }, us]);
    await warm(fleet);
    region(fleet, 3).fault = "refused";
    const { value } = await fleet.write();
    assert.deepEqual(
      value.wraps?.missing.map((missing) => missing.region),
      ["eu-west-4"],
    );
    assert.equal(callsOf(fleet)[2], 0);
  });

  test("of each group step in for their own", async () => {
    const fleet = fleetOf([5, 40, 40, 70, 70], { minimum: 1 }, [
      eu,
      eu,
      { ...eu, ...substitute },
      us,
      { ...us, ...substitute },
    ]);
    await warm(fleet);
    region(fleet, 1).fault = "refused";
    region(fleet, 3).fault = "refused";
    const { value } = await fleet.write();
    assert.deepEqual(
      value.wraps?.stored.map((stored) => stored.region),
      ["eu-west-1", "eu-west-3", "eu-west-5"],
    );
  });

  test("stand for one region each: the other one stays missing", async () => {
    const fleet = fleetOf([5, 40, 40, 70], { minimum: 1 }, [eu, eu, { ...eu, ...substitute }, eu]);
    await warm(fleet);
    region(fleet, 1).fault = "refused";
    region(fleet, 3).fault = "refused";
    const { value } = await fleet.write();
    assert.deepEqual(
      value.wraps?.stored.map((stored) => stored.region),
      ["eu-west-1", "eu-west-3"],
    );
    assert.equal(value.wraps.missing.length, 1);
  });
});

describe("writes", () => {
  test("wait for a slow region only as long as it usually takes twice, once the minimum is met", async () => {
    const fleet = fleetOf([5, 40, 170], { minimum: 2 });
    await warm(fleet);
    region(fleet, 2).rttMs = 600;
    const { value, elapsedMs } = await fleet.write();
    assert.equal(elapsedMs, 5 + 2 * 170);
    assert.deepEqual(
      value.wraps?.missing.map(({ reason }) => reason),
      ["timeout"],
    );
  });

  test("do not give up a wrap over a pause that a busy process makes", async () => {
    const fleet = fleetOf([5, 5, 5], { minimum: 2 });
    await warm(fleet);
    region(fleet, 2).rttMs = stragglerMinMs - 1;
    const { value } = await fleet.write();
    assert.deepEqual(value.wraps?.missing, []);
  });

  test("wait for it longer when the minimum needs it", async () => {
    const fleet = fleetOf([5, 40, 70], { minimum: 3 });
    await warm(fleet);
    region(fleet, 2).rttMs = 600;
    const { value, elapsedMs } = await fleet.write();
    assert.equal(elapsedMs, 605);
    assert.equal(value.wraps?.stored.length, 3);
  });

  test("bring a region back that rests: its wrap is tried on the side", async () => {
    const fleet = fleetOf([5, 40, 70], { minimum: 2 });
    await warm(fleet);
    region(fleet, 1).fault = "refused";
    for (let write = 0; write < breakerStrikes; write++) await fleet.write();
    region(fleet, 1).fault = null;
    assert.deepEqual(
      (await fleet.write()).value.wraps?.missing.map(({ reason }) => reason),
      ["refused"],
    );
    await fleet.time.advance(1_000);
    assert.equal((await fleet.write()).value.wraps?.stored.length, 3);
    assert.equal(health(fleet, 1).state, "up");
  });
});

describe("the caller's signal", () => {
  test("ends a write and a read that wait, and leaves no timer and no key behind", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    for (const each of fleet.regions) each.fault = "black-hole-deaf";
    for (const work of ["read", "write"] as const) {
      const controller = new AbortController();
      fleet.time.after(30, () => {
        controller.abort();
      });
      const options = { keyring: fleet.keyring, encryptionContext, signal: controller.signal };
      const startedAt = fleet.time.now();
      await rejectsWith(
        fleet.time.run<unknown>(work === "read" ? decrypt(message, options) : encrypt(plaintext, options)),
        "aborted",
      );
      assert.equal(fleet.time.now() - startedAt, 30);
      // Longer than the simulated network needs, shorter than any time-out of the keyring.
      await fleet.time.advance(100);
      assert.equal(fleet.time.pending, 0);
    }
  });

  test("aborting at once is nobody's fault", async () => {
    const fleet = fleetOf([5, 40]);
    const message = await warm(fleet);
    for (let read = 0; read < 10; read++) {
      const controller = new AbortController();
      fleet.time.after(2, () => {
        controller.abort();
      });
      await rejectsWith(
        fleet.time.run(decrypt(message, { keyring: fleet.keyring, encryptionContext, signal: controller.signal })),
        "aborted",
      );
    }
    assert.equal(health(fleet, 0).state, "up");
    assert.equal(health(fleet, 0).breaker.state, "closed");
  });

  test("already aborted, it costs no call", async () => {
    const fleet = fleetOf([5, 40]);
    await rejectsWith(fleet.write(AbortSignal.abort()), "aborted");
    assert.deepEqual(callsOf(fleet), [0, 0]);
  });
});

test("data keys that come too late are wiped", async () => {
  const fleet = fleetOf([5, 40]);
  const message = await warm(fleet);
  region(fleet, 0).rttMs = 300;
  const { kms } = region(fleet, 0);
  const drawn = kms.plaintexts.length;
  await fleet.read(message);
  await fleet.write();
  await fleet.time.advance(2_000);
  const late = kms.plaintexts.slice(drawn);
  assert.ok(late.length >= 2, "the slow region answered nothing");
  assert.ok(late.every((each) => each.every((byte) => byte === 0)));
});

describe("multi-Region keys", () => {
  const id = "mrk-1234abcd12ab34cd56ef1234567890ab";

  test("open in a region whose replica the message does not name", async () => {
    const time = new VirtualTime();
    const home = new InMemoryKms("eu-west-1", id);
    const writer = multiRegionKeyring({
      regions: [new SimulatedRegion(time, "eu-west-1", 5, home).asRegion],
      minimum: 1,
      time,
    });
    const { message } = (await time.run(encrypt(plaintext, { keyring: writer, encryptionContext }))).value;
    const replica = new SimulatedRegion(time, "eu-central-1", 5, home.replicaIn("eu-central-1"));
    const reader = multiRegionKeyring({ regions: [replica.asRegion], minimum: 1, time });
    const { value } = await time.run(decrypt(message, { keyring: reader, encryptionContext }));
    assert.deepEqual(Buffer.from(value.plaintext), plaintext);
  });

  test("are matched by account and partition too, and other keys by nothing but their ARN", async () => {
    const time = new VirtualTime();
    const pairs = [
      { writer: id, reader: "mrk-ffffffff12ab34cd56ef1234567890ab" },
      { writer: "1234abcd-12ab-34cd-56ef-1234567890ab", reader: "1234abcd-12ab-34cd-56ef-1234567890ab" },
    ];
    for (const pair of pairs) {
      const keyring = (region: string, keyId: string): MultiRegionKeyring =>
        multiRegionKeyring({
          regions: [new SimulatedRegion(time, region, 5, new InMemoryKms(region, keyId)).asRegion],
          minimum: 1,
          time,
        });
      const { message } = (
        await time.run(encrypt(plaintext, { keyring: keyring("eu-west-1", pair.writer), encryptionContext }))
      ).value;
      await rejectsWith(
        time.run(decrypt(message, { keyring: keyring("eu-central-1", pair.reader), encryptionContext })),
        "no-matching-key",
      );
    }
  });
});

test("grant tokens go with every call", async () => {
  const fleet = fleetOf([5, 40], { grantTokens: ["token"] });
  const { value } = await fleet.write();
  await fleet.read(value.message);
  await fleet.time.run(fleet.keyring.probe());
  assert.ok(fleet.regions.flatMap(({ grantTokens }) => grantTokens).every((tokens) => tokens?.[0] === "token"));
});

describe("what is shown", () => {
  test("events tell every call and decision, and carry no context value and no key", async () => {
    const fleet = fleetOf([5, 40, 70]);
    const events = await eventsOf(async () => {
      const message = await warm(fleet);
      region(fleet, 0).fault = "black-hole";
      for (let read = 0; read < 5; read++) await fleet.read(message);
      region(fleet, 1).fault = "throttled";
      await fleet.read(message);
      await fleet.write();
      region(fleet, 0).fault = "wrong-data-key";
      await fleet.time.advance(1_500);
      await fleet.read(message);
    });
    const kinds = new Set(events.map(({ kind }) => kind));
    for (const kind of ["call", "breaker", "throttle", "alarm", "wraps-missing", "operation"] as const)
      assert.ok(kinds.has(kind), `no ${kind}`);
    const text = JSON.stringify(events);
    assert.ok(!text.includes("secretive") && !text.includes("the value of a context"));
    for (const { kms } of fleet.regions) {
      for (const each of kms.plaintexts)
        assert.ok(each.every((byte) => byte === 0) || !text.includes(Buffer.from(each).toString("base64")));
    }
  });

  test("counters and health add up with what the regions saw", async () => {
    const fleet = fleetOf([5, 40, 70], { minimum: 2 });
    const message = await warm(fleet);
    region(fleet, 0).fault = "server-error";
    for (let read = 0; read < 4; read++) await fleet.read(message);
    await fleet.write();
    assert.deepEqual(
      fleet.keyring.health().map(({ calls }) => calls),
      callsOf(fleet),
    );
    const { reads, writes, failovers, writesBelowTarget } = fleet.keyring.counters();
    assert.deepEqual([reads, writes, failovers, writesBelowTarget], [4, 12, 3, 1]);
    const { failuresByKind, breaker, state, lastFailure } = health(fleet, 0);
    assert.deepEqual(
      [failuresByKind, breaker.state, state, lastFailure?.kind],
      [{ "server-error": 3 }, "open", "down", "server-error"],
    );
    assert.ok((breaker.restMs ?? 0) > 0);
  });
});

test("invalid options are refused with every problem", () => {
  const kms = new InMemoryKms("eu-west-1");
  const regions = [
    { ...kms.asRegion, client: {} as never },
    { ...new InMemoryKms("eu-west-2").asRegion, role: "spare" as never },
    { ...new InMemoryKms("us-east-1").asRegion, role: "substitute", group: "america" } as const,
  ];
  const error = throwsWith(
    () => multiRegionKeyring({ regions, minimum: 2, target: 3, hedgeRatio: 2, breakerStrikes: 0, grantTokens: [""] }),
    "option-invalid",
  );
  for (const part of [
    "generateDataKey",
    "role",
    "without a preferred",
    "target",
    "hedgeRatio",
    "breakerStrikes",
    "grantTokens",
  ]) {
    assert.match(error.message, new RegExp(part));
  }
});
