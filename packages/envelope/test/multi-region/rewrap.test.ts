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
