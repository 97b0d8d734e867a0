/**
 * Rewrapping in several regions: one ReEncrypt in each where that is possible, the key opened once for the rest, no call
 * more than needed, and every fault by which a region can fail or lie. In virtual time.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionKeyring, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { makeKey, namedKey, rewrapKey, unwrapKey } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey, Rewrapped, RewrappingOptions } from "@strongroom/envelope/keyrings";
import { rejectsWith } from "../support/errors.ts";
import { named } from "../support/in-memory-kms.ts";
import type { Fault, InMemoryKms } from "../support/in-memory-kms.ts";
import { KmsService } from "../support/kms-service.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const encryptionContext = { "branch-key-id": "42", type: "branch:version:1" };
const keyArnEntry = "kms-arn";
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

interface Side {
  readonly keys: readonly InMemoryKms[];
  readonly keyring: MultiRegionKeyring;
}

/** Two keys in each region's service, as an old and a new key set have them; and a key that is kept under the old. */
class World {
  readonly time: VirtualTime = new VirtualTime();
  readonly services: readonly KmsService[] = REGIONS.map((region) => new KmsService(region));
  readonly old: Side;
  readonly next: Side;
  wraps: readonly EncryptedDataKey[] = [];
  kept: Buffer = Buffer.alloc(0);

  constructor(options: Partial<MultiRegionOptions> = {}) {
    this.old = this.side("old", this.services);
    this.next = this.side("next", this.services, options);
  }

  static async with(options: Partial<MultiRegionOptions> = {}): Promise<World> {
    const world = new World(options);
    const { keyring } = world.old;
    const { value } = await world.time.run(makeKey({ keyring, encryptionContext, keyArnEntry }));
    world.wraps = value.wraps;
    world.kept = Buffer.from(value.key.bytes);
    value.key.wipe();
    world.calls();
    return world;
  }

  side(name: string, services: readonly KmsService[], options: Partial<MultiRegionOptions> = {}): Side {
    const keys = services.map((service) => service.key(name));
    const regions = keys.map(({ region, keyArn }, index) => ({ region, keyArn, client: services[index] as KmsClient }));
    const policy = { minimum: 1, proveWraps: "off", time: this.time, ...options } as const;
    return { keys, keyring: multiRegionKeyring({ ...policy, regions }) };
  }

  accepts = (candidate: Uint8Array): boolean => this.kept.equals(candidate);

  async rewrap(options: Partial<RewrappingOptions> = {}, wraps = this.wraps): Promise<Rewrapped> {
    const { accepts, next, old } = this;
    const all = { keyring: next.keyring, sources: [old.keyring], encryptionContext, keyArnEntry, accepts, ...options };
    return (await this.time.run(rewrapKey(wraps, all))).value;
  }

  /** Each call since the last look: region, operation and the keys it names. */
  calls(): readonly string[] {
    return this.services.flatMap(({ region, calls }) =>
      calls
        .splice(0)
        .map(({ operation, keys }) => `${region} ${operation} ${keys.map((key) => key.split("-").at(-1)).join(">")}`),
    );
  }

  /** Each wrap alone opens to the kept key, by the keyring it is of. */
  async opens({ made }: Rewrapped, { keyring }: Side = this.next): Promise<void> {
    const { accepts } = this;
    for (const { wrap, key } of made) {
      const options = { keyring, encryptionContext, keyArnEntry, accepts };
      const { value } = await this.time.run(unwrapKey([wrap], options));
      assert.equal(namedKey(wrap).key, key);
      assert.ok(value.key.bytes.equals(this.kept));
      value.key.wipe();
    }
    this.calls();
  }

  isWiped(): boolean {
    const keys = [...this.old.keys, ...this.next.keys];
    return keys.every(({ plaintexts }) => plaintexts.every((bytes) => bytes.every((byte) => byte === 0)));
  }
}

const names = ({ made }: Rewrapped): readonly string[] => made.map(({ key }) => key.split("/").at(-1) ?? "");
const reasons = ({ missing }: Rewrapped): readonly string[] =>
  missing.map(({ region, reason }) => `${region} ${reason}`);
const throwing = (name: string): Fault => ({ kind: "throws", error: named(name) });

describe("no more calls than needed", () => {
  test("one ReEncrypt in each region, and the key is not opened", async () => {
    const world = await World.with();
    const result = await world.rewrap({ proof: "none" });
    assert.deepEqual(
      world.calls(),
      REGIONS.map((region) => `${region} ReEncrypt old>next`),
    );
    assert.deepEqual([result.target, result.missing, names(result).length], [3, [], 3]);
    assert.ok(result.made.every(({ isProven }) => !isProven));
    await world.opens(result);
  });

  test("proven: each new wrap is opened by its own key besides", async () => {
    const world = await World.with();
    const result = await world.rewrap();
    assert.deepEqual(
      world.calls(),
      REGIONS.flatMap((region) => [`${region} ReEncrypt old>next`, `${region} Decrypt next`]),
    );
    assert.ok(result.made.every(({ isProven }) => isProven));
    assert.ok(world.isWiped());
  });

  test("one new region: the key is opened once, by the nearest, and wrapped once", async () => {
    const world = await World.with();
    const services = [...world.services, new KmsService("eu-north-1")];
    const wider = world.side("wide", services);
    const { made } = await world.rewrap({ proof: "none", keyring: wider.keyring });
    world.calls();
    const have = made.slice(0, 3).map(({ key }) => key);
    const result = await world.rewrap({ proof: "none", keyring: wider.keyring, have });
    assert.deepEqual(world.calls(), ["eu-west-1 Decrypt old"]);
    assert.deepEqual(
      services[3]?.calls.splice(0).map(({ operation }) => operation),
      ["Encrypt", "Encrypt"],
    );
    assert.deepEqual(names(result), ["eu-north-1-wide"]);
    await world.opens(result, wider);
  });
});

describe("what there is already, and what is asked of nobody", () => {
  test("nothing is asked where the target is met", async () => {
    const world = await World.with();
    const have = world.next.keys.map(({ keyArn }) => keyArn);
    assert.deepEqual(await world.rewrap({ have }), { made: [], target: 3, missing: [] });
    assert.deepEqual(world.calls(), []);
  });

  test("wrapping keys that are no part of the keyring count for nothing", async () => {
    const world = await World.with();
    const result = await world.rewrap({ have: world.old.keys.map(({ keyArn }) => keyArn), proof: "none" });
    assert.equal(result.made.length, 3);
  });

  test("a key that no source names is not asked, whatever a wrap names", async () => {
    const world = await World.with();
    const strangers = world.side("strange", world.services);
    const { wraps } = await rewrapped(world, strangers);
    world.calls();
    await rejectsWith(world.rewrap({ sources: [world.next.keyring] }, wraps), "no-matching-key");
    assert.deepEqual(world.calls(), []);
  });

  test("under rotated material of the same keys: a wrap becomes one of the same key", async () => {
    const world = await World.with();
    for (const service of world.services) service.material = "second";
    const options = { keyring: world.old.keyring, sources: [world.old.keyring], proof: "none" } as const;
    const result = await world.rewrap(options);
    assert.deepEqual(
      world.calls(),
      REGIONS.map((region) => `${region} ReEncrypt old>old`),
    );
    assert.deepEqual(
      result.made.map(({ material }) => material),
      ["second", "second", "second"],
    );
    await world.opens(result, world.old);
  });

  test("what a key's replica wrapped is re-encrypted by the key beside, bound to the replica's name", async () => {
    const world = await World.with();
    const west = new KmsService("us-west-2");
    const primary = world.services[0]?.multiRegionKey("shared");
    assert.ok(primary !== undefined);
    const replica = west.replica(primary);
    const target = west.key("next");
    const policy = { minimum: 1, proveWraps: "off", time: world.time } as const;
    const [writer, reader, next] = [
      [primary, world.services[0]],
      [replica, west],
      [target, west],
    ].map(([key, client]) => {
      const { region, keyArn } = key as InMemoryKms;
      return multiRegionKeyring({ ...policy, regions: [{ region, keyArn, client: client as KmsService }] });
    });
    const { made } = await world.rewrap({ keyring: writer! });
    world.calls();
    const wraps = made.map(({ wrap }) => wrap);
    const result = await world.rewrap({ keyring: next!, sources: [reader!], proof: "opened" }, wraps);
    assert.deepEqual(
      west.calls.map(({ operation }) => operation),
      ["ReEncrypt", "Decrypt"],
    );
    assert.deepEqual([result.made.length, world.calls()], [1, []]);
  });

  test("the materials that the keys have now", async () => {
    const world = await World.with();
    const now = async (): Promise<unknown> =>
      (await world.time.run(world.next.keyring.currentMaterials?.({ signal: undefined }) ?? Promise.reject())).value;
    assert.deepEqual(await now(), [], "a service that does not tell");
    for (const service of world.services) service.material = `of ${service.region}`.replace(" ", "-");
    world.services[1]?.faults.set("DescribeKey", throwing("ThrottlingException"));
    assert.deepEqual(
      await now(),
      world.next.keys.map(({ keyArn, region }, index) => ({
        key: keyArn,
        material: index === 1 ? null : `of-${region}`,
      })),
    );
    const signal = AbortSignal.abort();
    await rejectsWith(world.next.keyring.currentMaterials?.({ signal }) ?? Promise.resolve(), "aborted");
  });
});

/** The key that the world keeps, wrapped by another side. */
async function rewrapped(world: World, { keyring }: Side): Promise<{ readonly wraps: readonly EncryptedDataKey[] }> {
  const { made } = await world.rewrap({ keyring, proof: "none" });
  return { wraps: made.map(({ wrap }) => wrap) };
}

/** What is done to the second of three regions, and what becomes of it. */
interface FaultRow {
  readonly fault: (
    world: World,
    at: { readonly service: KmsService; readonly old: InMemoryKms; readonly next: InMemoryKms },
  ) => void;
  /** Why its wrap is missing; null: it is made in spite of that. */
  readonly missing: string | null;
  /** Calls to it, with and without a proof. */
  readonly calls: readonly string[];
  readonly quarantined?: true;
  readonly proof?: "none";
}

const garbage = (ciphertext: Buffer): Buffer => Buffer.from(ciphertext.map((byte) => byte ^ 1));
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
      const result = await world.rewrap();
      assert.deepEqual(reasons(result), missing === null ? [] : [`${next.region} ${missing}`]);
      assert.equal(result.made.length, missing === null ? 3 : 2);
      assert.ok(result.made.every(({ isProven }) => isProven));
      assert.deepEqual(
        service.calls.map(({ operation }) => operation),
        calls,
      );
      const health = world.next.keyring.health()[1];
      assert.equal(health?.breaker.quarantined, quarantined);
      if (missing === null) assert.deepEqual([health?.breaker.state, health?.alarm], ["closed", null]);
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

describe("sources", () => {
  const elsewhere = (world: World): Side =>
    world.side("far", [new KmsService("us-east-1"), new KmsService("us-west-2")]);

  test("the first source is lost for good: another has wraps too", async () => {
    const world = await World.with();
    const second = elsewhere(world);
    const { wraps } = await rewrapped(world, second);
    world.calls();
    const all = [...world.wraps, ...wraps];
    for (const old of world.old.keys) old.fault = throwing("NotFoundException");
    const result = await world.rewrap({ sources: [world.old.keyring, second.keyring], proof: "none" }, all);
    assert.deepEqual([result.missing, result.made.length], [[], 3]);
    await world.opens(result);
  });

  test("no old key opens any more, and one of them still re-encrypts: the rest is made of what that made", async () => {
    const world = await World.with();
    const arns = world.old.keys.map(({ keyArn }) => keyArn);
    for (const service of world.services) service.denyDecryptOf(arns);
    for (const service of world.services.slice(1)) service.faults.set("ReEncrypt", throwing("AccessDeniedException"));
    const result = await world.rewrap({ proof: "none" });
    assert.deepEqual([result.missing, result.made.length], [[], 3]);
    assert.ok(world.calls().includes("eu-west-1 Decrypt next"));
    await world.opens(result);
  });

  test("nothing opens: the error is that of opening, and no region is blamed", async () => {
    const world = await World.with();
    const second = elsewhere(world);
    for (const old of world.old.keys) old.fault = throwing("AccessDeniedException");
    await rejectsWith(world.rewrap({ keyring: second.keyring }), "regions-unavailable");
    assert.ok(second.keyring.health().every(({ state }) => state === "unknown"));
    for (const old of world.old.keys) old.fault = { kind: "none" };
    const others = world.wraps.map((wrap) => ({ ...wrap, ciphertext: garbage(Buffer.from(wrap.ciphertext)) }));
    await rejectsWith(world.rewrap({ keyring: second.keyring }, others), "decryption-failed");
  });

  test("from a raw key into regions, and from regions into a raw key: then the regions may go", async () => {
    const world = await World.with();
    const raw = rawAesKeyring({ keyNamespace: "cellar", keyName: "2027", wrappingKey: randomBytes(32) });
    const out = await world.rewrap({ keyring: raw });
    assert.deepEqual([out.target, out.missing], [1, []]);
    assert.deepEqual(
      out.made.map(({ key, isProven, material }) => [key, isProven, material]),
      [["2027", true, null]],
    );
    assert.equal(world.calls().filter((call) => call.includes("Decrypt")).length, 1);
    for (const service of world.services) service.faults.set("*", throwing("AccessDeniedException"));
    const { accepts, time } = world;
    const wraps = out.made.map(({ wrap }) => wrap);
    const opened = await time.run(unwrapKey(wraps, { keyring: raw, encryptionContext, keyArnEntry, accepts }));
    opened.value.key.wipe();
    for (const service of world.services) service.faults.clear();
    const back = await world.rewrap({ sources: [raw] }, wraps);
    assert.deepEqual([back.made.length, back.missing], [3, []]);
    await world.opens(back);
    assert.ok(world.isWiped());
  });
});

describe("cut short", () => {
  const silent: Fault = { kind: "never-answers", honoursAbort: false };

  test("by the caller: nothing is given, nothing is left, and no later answer makes anything", async () => {
    for (const operation of ["ReEncrypt", "Decrypt", "Encrypt"]) {
      const world = await World.with();
      const services = [...world.services, new KmsService("eu-north-1")];
      const wide = world.side("wide", services);
      for (const service of services) service.faults.set(operation, silent);
      const controller = new AbortController();
      const rejected = rejectsWith(world.rewrap({ keyring: wide.keyring, signal: controller.signal }), "aborted");
      world.time.after(1, () => {
        controller.abort();
      });
      await rejected;
      await world.time.advance(60_000);
      assert.ok(world.isWiped());
      assert.equal(world.time.pending, 0);
    }
  });

  test("by the deadline: what was made is given, the rest is owed", async () => {
    const world = await World.with({ deadlineMs: 1_000, attemptTimeoutMs: 1_000 });
    world.services[2]?.faults.set("*", silent);
    const result = await world.rewrap();
    assert.deepEqual([result.made.length, reasons(result)], [2, ["eu-central-1 timeout"]]);
    assert.ok(world.isWiped());
  });

  test("by the deadline, with nothing made", async () => {
    const world = await World.with({ deadlineMs: 1_000, attemptTimeoutMs: 1_000 });
    for (const service of world.services) service.faults.set("*", silent);
    await rejectsWith(world.rewrap(), "deadline-exceeded");
    await world.time.advance(60_000);
    assert.equal(world.time.pending, 0);
  });
});

describe("options", () => {
  test("what is no option, and sources that are none, are refused before a call", async () => {
    const world = await World.with();
    for (const wrong of [{ sources: [] }, { proof: "some" }, { have: [7] }, { accepts: undefined }, { extra: 1 }])
      await rejectsWith(world.rewrap(wrong as never), "option-invalid");
    assert.deepEqual(world.calls(), []);
  });
});
