/** Rewrapping in several regions, one of which fails or lies: what becomes of it, and of the others. In virtual time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { unwrapKey } from "@strongroom/envelope/keyrings";
import type { Rewrapped } from "@strongroom/envelope/keyrings";
import { rejectsWith } from "../support/errors.ts";
import { eventsOf } from "../support/fleet.ts";
import type { InMemoryKms } from "../support/in-memory-kms.ts";
import { KmsService } from "../support/kms-service.ts";
import { encryptionContext, garbage, keyArnEntry, names, reasons, throwing, World } from "../support/rewrapping.ts";

/** What is done to the second of three regions, and what becomes of it. */
interface FaultRow {
  readonly fault: (
    world: World,
    at: { readonly service: KmsService; readonly old: InMemoryKms; readonly next: InMemoryKms },
  ) => void;
  /** Why its wrap is missing; null: it is made in spite of that. */
  readonly missing: string | null;
  /** Calls to it. */
  readonly calls: readonly string[];
  readonly quarantined?: true;
}

const ofAnotherKey = async (_: Buffer, to: InMemoryKms): Promise<Buffer> => {
  const EncryptionContext = { ...encryptionContext, [keyArnEntry]: to.keyArn };
  const { CiphertextBlob } = await to.encrypt({ KeyId: to.keyArn, Plaintext: randomBytes(32), EncryptionContext });
  return Buffer.from(CiphertextBlob);
};

const FAULTS: Readonly<Record<string, FaultRow>> = {
  "it throttles": {
    fault: (_, { service }) => service.faults.set("*", throwing("ThrottlingException")),
    missing: "throttled",
    calls: ["ReEncrypt"],
  },
  "it is a black hole": {
    fault: (_, { service }) => service.faults.set("*", { kind: "never-answers", honoursAbort: true }),
    missing: "timeout",
    calls: ["ReEncrypt"],
  },
  "it is a black hole, and its client hears no abort": {
    fault: (_, { service }) => service.faults.set("*", { kind: "never-answers", honoursAbort: false }),
    missing: "timeout",
    calls: ["ReEncrypt"],
  },
  "it fails": {
    fault: (_, { service }) => service.faults.set("*", throwing("KMSInternalException")),
    missing: "server-error",
    calls: ["ReEncrypt"],
  },
  "the old key is disabled": {
    fault: (_, { old }) => (old.fault = throwing("DisabledException")),
    missing: null,
    calls: ["ReEncrypt", "Encrypt", "Decrypt"],
  },
  "the old key is gone": {
    fault: (_, { old }) => (old.fault = throwing("NotFoundException")),
    missing: null,
    calls: ["ReEncrypt", "Encrypt", "Decrypt"],
  },
  "re-encryption is denied": {
    fault: (_, { service }) => service.faults.set("ReEncrypt", throwing("AccessDeniedException")),
    missing: null,
    calls: ["ReEncrypt", "Encrypt", "Decrypt"],
  },
  "re-encryption is unknown to it": {
    fault: (_, { service }) => service.faults.set("ReEncrypt", throwing("UnknownOperationException")),
    missing: null,
    calls: ["ReEncrypt", "Encrypt", "Decrypt"],
  },
  "the new key is disabled": {
    fault: (_, { next }) => (next.fault = throwing("DisabledException")),
    missing: "key-disabled",
    calls: ["ReEncrypt", "Encrypt"],
  },
  "it may not open what it wraps": {
    fault: (_, { service }) => service.faults.set("Decrypt", throwing("AccessDeniedException")),
    missing: "access-denied",
    calls: ["ReEncrypt", "Decrypt"],
  },
  "it answers for another key": {
    fault: (_, { next }) => (next.fault = { kind: "wrong-key-id" }),
    missing: "wrong-key-id",
    calls: ["ReEncrypt"],
    quarantined: true,
  },
  "it answers from another key": {
    fault: (_, { old }) => (old.fault = { kind: "wrong-key-id" }),
    missing: "wrong-key-id",
    calls: ["ReEncrypt"],
    quarantined: true,
  },
  "its re-encrypted wraps do not open": {
    fault: (_, { service }) => (service.reEncrypted = garbage),
    missing: "wrap-does-not-open",
    calls: ["ReEncrypt", "Decrypt"],
    quarantined: true,
  },
  "its re-encrypted wraps open to another key": {
    fault: (_, { service }) => (service.reEncrypted = ofAnotherKey),
    missing: "wrap-does-not-open",
    calls: ["ReEncrypt", "Decrypt", "Decrypt"],
    quarantined: true,
  },
  "all its wraps open to another key": {
    fault: (_, { next }) => (next.wrapping = ({ seal }) => seal(randomBytes(32))),
    missing: "wrap-does-not-open",
    calls: ["ReEncrypt", "Decrypt", "Decrypt"],
    quarantined: true,
  },
  "it opens to a key of another length": {
    fault: (_, { next }) => (next.fault = { kind: "wrong-key-length" }),
    missing: "wrap-does-not-open",
    calls: ["ReEncrypt", "Decrypt"],
    quarantined: true,
  },
  "the wrap that it has is of another key": {
    fault: (world, { old }) => {
      const wrong = old.sealed(randomBytes(32), { ...encryptionContext, [keyArnEntry]: old.keyArn });
      world.wraps = world.wraps.map((wrap, index) => (index === 1 ? { ...wrap, ciphertext: wrong } : wrap));
    },
    missing: null,
    // Whoever is wrong of the two shows when the key is known from elsewhere.
    calls: ["ReEncrypt", "Decrypt", "Decrypt", "Encrypt", "Decrypt"],
  },
};

describe("a region that fails or lies", () => {
  for (const [name, { fault, missing, calls, quarantined = false }] of Object.entries(FAULTS)) {
    test(name, async () => {
      const world = await World.with();
      const [service, old, next] = [world.services[1]!, world.old.keys[1]!, world.next.keys[1]!];
      fault(world, { service, old, next });
      const told: Rewrapped[] = [];
      const events = await eventsOf(async () => told.push(await world.rewrap()));
      const result = told[0]!;
      if (missing === null)
        assert.deepEqual(
          events.filter(({ kind }) => kind === "alarm" || kind === "breaker"),
          [],
        );
      assert.deepEqual(reasons(result), missing === null ? [] : [`${next.region} ${missing}`]);
      assert.equal(result.made.length, missing === null ? 3 : 2);
      assert.ok(result.made.every(({ isProven }) => isProven));
      assert.deepEqual(
        service.calls.map(({ operation }) => operation),
        calls,
      );
      const health = world.next.keyring.health()[1];
      assert.equal(health?.breaker.quarantined, quarantined);
      if (missing === null) assert.deepEqual([health.breaker.state, health.alarm], ["closed", null]);
      service.faults.clear();
      next.fault = { kind: "none" };
      next.wrapping = null;
      await world.opens(result);
      await world.time.advance(60_000);
      assert.ok(world.isWiped(), "a key was left in memory");
      assert.equal(world.time.pending, 0);
    });
  }

  test("a substitute of its group stands in for it, and no other", async () => {
    for (const [group, made] of [
      ["europe", ["eu-west-1-next", "eu-north-1-spare", "eu-central-1-next"]],
      ["elsewhere", ["eu-west-1-next", "eu-central-1-next"]],
    ] as const) {
      const world = await World.with();
      const spare = new KmsService("eu-north-1");
      const { keyArn } = spare.key("spare");
      const [first, ...others] = world.next.keys.map(({ region, keyArn: arn }, index) => ({
        region,
        keyArn: arn,
        client: world.services[index]!,
        group: "europe",
      }));
      const preferred = group === "europe" ? others : others.map((each) => ({ ...each, group: "middle" }));
      const keyring = multiRegionKeyring({
        regions: [
          group === "europe" ? first! : { ...first!, group },
          ...preferred,
          { region: "eu-north-1", keyArn, client: spare, group, role: "substitute" },
        ],
        minimum: 1,
        time: world.time,
        proveWraps: "off",
      });
      world.services[1]!.faults.set("*", throwing("KMSInternalException"));
      const result = await world.rewrap({ keyring, proof: "none" });
      assert.deepEqual(names(result).toSorted(), [...made].toSorted());
      assert.deepEqual(reasons(result), group === "europe" ? [] : ["eu-west-2 server-error"]);
    }
  });

  test("a region that rests is not asked, and is owed; when it is due to be tried it is", async () => {
    const world = await World.with();
    const service = world.services[1]!;
    world.next.keys[1]!.fault = throwing("DisabledException");
    await world.rewrap();
    world.calls();
    const result = await world.rewrap({ proof: "none" });
    assert.deepEqual(reasons(result), ["eu-west-2 key-disabled"]);
    assert.equal(world.calls().length, 2);
    world.next.keys[1]!.fault = { kind: "none" };
    await world.time.advance(60_000);
    assert.deepEqual((await world.rewrap({ proof: "none" })).missing, []);
    assert.equal(service.calls.length, 1);
  });

  test("a pair of keys that is refused is left alone for a minute: each further key costs no refusal", async () => {
    for (const refuse of [
      (world: World) => world.services[1]!.faults.set("ReEncrypt", throwing("AccessDeniedException")),
      (world: World) => (world.old.keys[1]!.fault = throwing("DisabledException")),
    ]) {
      const world = await World.with();
      refuse(world);
      const atTheSecond = (): readonly string[] =>
        world.calls().flatMap((call) => (call.startsWith("eu-west-2 ") ? [call.split(" ")[1] ?? ""] : []));
      for (const expected of [["ReEncrypt", "Encrypt"], ["Encrypt"], ["Encrypt"]]) {
        assert.deepEqual((await world.rewrap({ proof: "none" })).missing, []);
        assert.deepEqual(atTheSecond(), expected);
      }
      world.services[1]!.faults.clear();
      world.old.keys[1]!.fault = { kind: "none" };
      await world.time.advance(60_000);
      await world.rewrap({ proof: "none" });
      assert.deepEqual(atTheSecond(), ["ReEncrypt"]);
    }
  });

  test("a source that is known to rest is not asked to re-encrypt", async () => {
    const world = await World.with();
    const { accepts, old } = world;
    old.keys[1]!.fault = throwing("DisabledException");
    const options = { keyring: old.keyring, encryptionContext, keyArnEntry, accepts };
    await rejectsWith(world.time.run(unwrapKey(world.wraps.slice(1, 2), options)), "regions-unavailable");
    world.calls();
    assert.deepEqual((await world.rewrap({ proof: "none" })).missing, []);
    assert.deepEqual(
      world.calls().filter((call) => call.startsWith("eu-west-2")),
      ["eu-west-2 Encrypt next"],
    );
  });

  test("one that has lied is believed nothing, also where no proof is asked for", async () => {
    const world = await World.with();
    const service = world.services[1]!;
    service.reEncrypted = garbage;
    await world.rewrap();
    await world.time.advance(60_000);
    world.calls();
    assert.deepEqual(reasons(await world.rewrap({ proof: "none" })), ["eu-west-2 wrap-does-not-open"]);
    assert.deepEqual(
      world.calls().filter((call) => call.startsWith("eu-west-2")),
      ["eu-west-2 ReEncrypt old>next", "eu-west-2 Decrypt next"],
    );
  });

  test("the keyring's own policy says which are proven where it is asked", async () => {
    const world = await World.with({ proveWraps: "all" });
    assert.ok((await world.rewrap({ proof: "policy" })).made.every(({ isProven }) => isProven));
    const trusting = await World.with();
    assert.ok((await trusting.rewrap({ proof: "policy" })).made.every(({ isProven }) => !isProven));
  });
});
