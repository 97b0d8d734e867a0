/** Wraps that are opened before they count: which, and what becomes of a region that lies. In virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cachingMaterials, decrypt, encrypt, inspect } from "@strongroom/envelope";
import type { EncryptResult } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import type { KmsEvent, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { WrapProofs } from "../../src/multi-region/wrap-proofs.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { encryptionContext, eventsOf, fleetOf, health, plaintext, region, warm } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import type { SimulatedRegion } from "../support/simulated-region.ts";

const { quarantineProbes, breakerFirstRestMs, proveEveryMs, stragglerMinMs } = MULTI_REGION_DEFAULTS;

/** How a region lies to a write, and what its proof says. `null`: it tells the truth again. */
const LIES = {
  "its wraps do not open": (kms: SimulatedRegion["kms"]) => {
    kms.wrapping = ({ sealed }) => Buffer.from(sealed.map((byte) => byte ^ 1));
  },
  "its wraps open to another key": (kms: SimulatedRegion["kms"]) => {
    kms.wrapping = ({ seal, plaintext: key }) => seal(Buffer.from(key.map((byte) => byte ^ 1)));
  },
  "its wraps are those of another region": (kms: SimulatedRegion["kms"]) => {
    kms.wrapping = ({ plaintext: key, sealElsewhere }) => sealElsewhere(key);
  },
  "its wraps are bound to another context": (kms: SimulatedRegion["kms"]) => {
    kms.wrapping = ({ seal, plaintext: key }) => seal(key, { id: "43" });
  },
  "it wraps right and opens wrong": (kms: SimulatedRegion["kms"]) => {
    kms.opening = (key) => Buffer.from(key.map((byte) => byte ^ 1));
  },
} as const;

const honest = (each: SimulatedRegion): void => {
  each.kms.wrapping = null;
  each.kms.opening = null;
};

const proving = (options: Partial<MultiRegionOptions> = {}): Fleet =>
  fleetOf([5, 40, 70], { minimum: 2, proveWraps: "all", ...options });

/** Opens by each of its wraps alone. */
async function opensByEach(fleet: Fleet, { message, wraps }: EncryptResult): Promise<void> {
  for (const { region: only } of wraps?.stored ?? []) {
    for (const each of fleet.regions) each.fault = each.region === only ? null : "refused";
    await fleet.time.run(decrypt(message, { keyring: fleet.keyring, encryptionContext }));
  }
  for (const each of fleet.regions) each.fault = null;
}

const alarms = (events: readonly KmsEvent[]): readonly string[] =>
  events.flatMap((event) => (event.kind === "alarm" ? [`${event.region}: ${event.reason}`] : []));

describe("with proveWraps all, a region that lies is found out by the write that it lies to", () => {
  for (const [name, lie] of Object.entries(LIES)) {
    for (const index of [0, 1, 2]) {
      test(`${name}, region ${index + 1}`, async () => {
        const fleet = proving();
        await fleet.write();
        const liar = region(fleet, index);
        lie(liar.kms);
        const results: EncryptResult[] = [];
        const events = await eventsOf(async () => {
          results.push((await fleet.write()).value);
        });
        const [written] = results;
        assert.ok(written !== undefined);
        const { wraps, message } = written;
        assert.deepEqual(wraps?.missing, [{ region: liar.region, keyArn: liar.keyArn, reason: "wrap-does-not-open" }]);
        assert.equal(inspect(message).encryptedDataKeys.length, 2);
        assert.deepEqual(alarms(events), [`${liar.region}: wrap-does-not-open`]);
        const { breaker, alarm, state } = health(fleet, index);
        assert.deepEqual([breaker.quarantined, alarm?.kind, state], [true, "wrap-does-not-open", "down"]);
        honest(liar);
        await opensByEach(fleet, written);
      });
    }

    test(`${name}: its wraps are owed until it has told the truth ${quarantineProbes} times`, async () => {
      const fleet = proving();
      await fleet.write();
      const liar = region(fleet, 2);
      lie(liar.kms);
      await fleet.write();
      for (let write = 0; write < 3; write++) {
        const { value } = await fleet.write();
        assert.deepEqual(
          value.wraps?.missing.map(({ reason }) => reason),
          ["wrap-does-not-open"],
        );
      }
      // Its rest is over, and it lies on: the probe finds that out, and nobody counts on it.
      await fleet.time.advance(breakerFirstRestMs);
      assert.equal((await fleet.write()).value.wraps?.stored.length, 2);
      await fleet.time.advance(300);
      assert.equal(health(fleet, 2).breaker.quarantined, true);
      honest(liar);
      await fleet.time.advance(2 * breakerFirstRestMs);
      for (let probe = 0; probe < quarantineProbes; probe++) {
        assert.equal(health(fleet, 2).breaker.quarantined, true, `trusted after ${probe} proofs`);
        await fleet.write();
        await fleet.time.advance(300);
      }
      assert.equal(health(fleet, 2).breaker.state, "closed");
      assert.equal(health(fleet, 2).alarm, null);
      assert.deepEqual((await fleet.write()).value.wraps?.missing, []);
    });
  }

  test("the minimum is one of wraps that open: with too few of them the write fails", async () => {
    for (const lie of Object.values(LIES)) {
      const fleet = proving();
      await fleet.write();
      for (const index of [1, 2]) lie(region(fleet, index).kms);
      await rejectsWith(fleet.write(), "wraps-below-minimum");
    }
  });

  test("a data key that a liar made is not used, whoever wrapped it", async () => {
    const fleet = proving({ minimum: 1 });
    await fleet.write();
    const liar = region(fleet, 0).kms;
    LIES["its wraps open to another key"](liar);
    const before = liar.plaintexts.length;
    const { message } = (await fleet.write()).value;
    const made = liar.plaintexts.slice(before);
    assert.ok(made.length > 0);
    assert.ok(
      made.every((key) => key.every((byte) => byte === 0)),
      "its key is wiped",
    );
    honest(region(fleet, 0));
    region(fleet, 0).fault = "refused";
    await fleet.read(message);
    assert.equal(region(fleet, 1).kms.calls.filter((call) => call === "GenerateDataKey").length, 1);
  });

  test("a region that lies only sometimes: no wrap of it that does not open is ever counted", async () => {
    const fleet = proving();
    await fleet.write();
    let turn = 0;
    region(fleet, 2).kms.wrapping = ({ sealed }) => (turn++ % 3 === 0 ? Buffer.alloc(40) : sealed);
    const written: EncryptResult[] = [];
    for (let write = 0; write < 40; write++) {
      written.push((await fleet.write()).value);
      await fleet.time.advance(500);
    }
    region(fleet, 2).kms.wrapping = null;
    await fleet.time.advance(5_000);
    assert.ok(written.some(({ wraps }) => wraps?.stored.length === 2));
    for (const each of fleet.regions.slice(0, 2)) each.fault = "refused";
    for (const { message, wraps } of written) {
      if (wraps?.stored.length === 3)
        await fleet.time.run(decrypt(message, { keyring: fleet.keyring, encryptionContext }));
    }
  });
});

/** What keeps a region from answering the proof, and the reason that its wrap is owed for. */
const UNPROVABLE = [
  ["black-hole", "timeout"],
  ["throttled", "throttled"],
  ["access-denied", "access-denied"],
  ["server-error", "server-error"],
  ["key-disabled", "key-disabled"],
  ["wrong-key-id", "wrong-key-id"],
  ["wrong-key-length", "wrap-does-not-open"],
] as const;

describe("a wrap whose proof fails for another reason", () => {
  for (const proveWraps of ["all", "sampled"] as const) {
    for (const [fault, reason] of UNPROVABLE) {
      test(`is not counted, and is owed: ${fault}, ${proveWraps}`, async () => {
        const fleet = proving({ proveWraps });
        if (proveWraps === "all") await fleet.write();
        region(fleet, 2).decryptFault = fault;
        const { value, elapsedMs } = await fleet.write();
        assert.deepEqual(
          value.wraps?.missing.map((missing) => [missing.region, missing.reason]),
          [["eu-west-3", reason]],
        );
        assert.ok(elapsedMs <= 5 + 70 + 2 * stragglerMinMs + 1, `${elapsedMs} ms`);
        region(fleet, 2).decryptFault = null;
        await fleet.time.advance(6_000);
        for (let write = 0; write < quarantineProbes + 1; write++) {
          await fleet.write();
          await fleet.time.advance(300);
        }
        assert.deepEqual((await fleet.write()).value.wraps?.missing, []);
      });
    }
  }

  test("leaves the data key of the region that made it in use", async () => {
    const fleet = proving();
    await fleet.write();
    region(fleet, 0).decryptFault = "black-hole";
    const { value } = await fleet.write();
    assert.deepEqual(
      value.wraps?.missing.map(({ reason }) => reason),
      ["timeout"],
    );
    assert.equal(region(fleet, 1).kms.calls.filter((call) => call === "GenerateDataKey").length, 0);
    await fleet.read(value.message);
  });

  test("fails the write when the minimum needs it", async () => {
    const fleet = proving({ minimum: 3 });
    region(fleet, 2).decryptFault = "access-denied";
    await rejectsWith(fleet.write(), "wraps-below-minimum");
  });
});

describe("which wraps are proven", () => {
  const decrypts = (fleet: Fleet): number[] =>
    fleet.regions.map(({ kms }) => kms.calls.filter((call) => call === "Decrypt").length);

  test("all: each, by one more call to its region", async () => {
    const fleet = proving();
    for (let write = 0; write < 10; write++) await fleet.write();
    assert.deepEqual(decrypts(fleet), [10, 10, 10]);
    assert.deepEqual(fleet.keyring.counters().proofs, 30);
    assert.deepEqual([health(fleet, 1).wraps.proven, health(fleet, 1).wraps.sinceProven], [10, 0]);
    assert.equal(health(fleet, 1).callsByPurpose.proof, 10);
  });

  test("off: none, and no wrap is told from another", async () => {
    const fleet = proving({ proveWraps: "off" });
    for (let write = 0; write < 10; write++) await fleet.write();
    assert.deepEqual(decrypts(fleet), [0, 0, 0]);
    assert.deepEqual(health(fleet, 0).wraps, { proven: 0, lastProvenAt: null, sinceProven: 10 });
  });

  test("sampled: a region's first, then none by chance where the share is nothing, and the first after so long", async () => {
    const fleet = proving({ proveWraps: "sampled", proveShare: 0 });
    for (let write = 0; write < 10; write++) await fleet.write();
    assert.deepEqual(decrypts(fleet), [1, 1, 1]);
    await fleet.time.advance(proveEveryMs);
    for (let write = 0; write < 10; write++) await fleet.write();
    assert.deepEqual(decrypts(fleet), [2, 2, 2]);
  });

  test("sampled: the first after a region was lost, whose key may be another by then", async () => {
    const fleet = proving({ proveWraps: "sampled", proveShare: 0 });
    await fleet.write();
    region(fleet, 2).fault = "refused";
    for (let write = 0; write < 5; write++) await fleet.write();
    region(fleet, 2).fault = null;
    LIES["its wraps do not open"](region(fleet, 2).kms);
    await fleet.time.advance(breakerFirstRestMs);
    await fleet.write();
    await fleet.time.advance(300);
    assert.equal(health(fleet, 2).breaker.quarantined, true);
    honest(region(fleet, 2));
  });

  test("sampled: writes that come before a region's first proof are all proven", async () => {
    const fleet = proving({ proveWraps: "sampled", proveShare: 0 });
    LIES["its wraps do not open"](region(fleet, 2).kms);
    const writes = Array.from({ length: 5 }, () => encrypt(plaintext, { keyring: fleet.keyring, encryptionContext }));
    for (const { wraps } of (await fleet.time.run(Promise.all(writes))).value) assert.equal(wraps?.stored.length, 2);
  });

  test("sampled: a share of the others, by chance", () => {
    const draws = [0.5, 0.019, 0.02, 0.9];
    const proofs = new WrapProofs(
      { proveWraps: "sampled", proveShare: 0.02, proveEveryMs: 1_000 },
      () => draws.shift() ?? assert.fail(),
    );
    assert.equal(proofs.isDue(0), true);
    proofs.proven(0);
    assert.deepEqual(
      [1, 2, 3, 4].map((now) => proofs.isDue(now)),
      [false, true, false, false],
    );
    assert.equal(proofs.isDue(1_000), true);
    proofs.again();
    assert.equal(proofs.isDue(5), true);
  });

  test("a liar that has just begun is found out within its share of writes, by chance", async () => {
    const fleet = proving({ proveWraps: "sampled", proveShare: 0.2 });
    await warm(fleet);
    LIES["its wraps do not open"](region(fleet, 2).kms);
    let writes = 0;
    while (!health(fleet, 2).breaker.quarantined && writes < 200) {
      await fleet.write();
      writes += 1;
    }
    assert.ok(writes < 200);
  });

  test("a data key that many messages share is proven once", async () => {
    const fleet = proving();
    using materials = cachingMaterials({
      keyring: fleet.keyring,
      maxAgeMs: 60_000,
      maxMessages: 100,
      time: fleet.time,
    });
    for (let message = 0; message < 20; message++)
      await fleet.time.run(encrypt(plaintext, { materials, encryptionContext }));
    assert.deepEqual(decrypts(fleet), [1, 1, 1]);
  });

  test("no proof leaves a data key in memory, nor a timer", async () => {
    const fleet = proving();
    await fleet.write();
    await fleet.time.advance(5_000);
    for (const { kms } of fleet.regions) for (const key of kms.plaintexts) assert.ok(key.every((byte) => byte === 0));
    assert.equal(fleet.time.pending, 0);
  });

  test("is an option that is checked", () => {
    throwsWith(() => proving({ proveWraps: "some" as "all" }), "option-invalid");
    throwsWith(() => proving({ proveShare: 2 }), "option-invalid");
  });
});

test("a region that comes back while the write goes on is never silently without a wrap", async () => {
  for (const proveWraps of ["all", "sampled", "off"] as const) {
    for (const rtt of [10, 30, 34, 35, 36, 60, 69, 70, 71, 100]) {
      const fleet = proving({ proveWraps });
      await warm(fleet);
      region(fleet, 1).fault = "refused";
      while (health(fleet, 1).breaker.state === "closed") await fleet.write();
      Object.assign(region(fleet, 1), { fault: null, rttMs: rtt });
      await fleet.time.advance(breakerFirstRestMs);
      // Its probe, and the proof of what that wrapped, come before, with and after the end of the write.
      const { value } = await fleet.write();
      const { stored = [], missing = [] } = value.wraps ?? {};
      assert.equal(stored.length + missing.length, 3, `${proveWraps}, ${rtt} ms`);
      assert.deepEqual(
        missing.map(({ reason }) => reason).filter((reason) => reason !== "refused"),
        [],
      );
    }
  }
});

test("hedged, stopped and late proofs accuse nobody", async () => {
  const fleet = proving({ minimum: 1 });
  await warm(fleet);
  // Its proofs come after the write has ended, and its data key with it.
  region(fleet, 2).rttMs = 400;
  for (let write = 0; write < 6; write++) {
    await fleet.write();
    await fleet.time.advance(1_500);
  }
  for (let index = 0; index < 3; index++) {
    assert.equal(health(fleet, index).breaker.quarantined, false);
    assert.equal(health(fleet, index).failuresByKind["wrap-does-not-open"], undefined);
  }
});
