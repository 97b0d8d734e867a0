/**
 * A key that is kept wrapped under one key set, and another key set beside it: two keys in each of three regions, behind
 * one client a region. In virtual time.
 */
import assert from "node:assert/strict";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionKeyring, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { makeKey, namedKey, rewrapKey, unwrapKey } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey, Rewrapped, RewrappingOptions } from "@strongroom/envelope/keyrings";
import { named } from "./in-memory-kms.ts";
import type { Fault, InMemoryKms } from "./in-memory-kms.ts";
import { KmsService } from "./kms-service.ts";
import { VirtualTime } from "./virtual-time.ts";

export const encryptionContext: Readonly<Record<string, string>> = { "branch-key-id": "42", type: "branch:version:1" };
export const keyArnEntry = "kms-arn";
export const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

export interface Side {
  readonly keys: readonly InMemoryKms[];
  readonly keyring: MultiRegionKeyring;
}

/** Two keys in each region's service, as an old and a new key set have them; and a key that is kept under the old. */
export class World {
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

export const names = ({ made }: Rewrapped): readonly string[] => made.map(({ key }) => key.split("/").at(-1) ?? "");
export const reasons = ({ missing }: Rewrapped): readonly string[] =>
  missing.map(({ region, reason }) => `${region} ${reason}`);
export const throwing = (name: string): Fault => ({ kind: "throws", error: named(name) });

/** The key that the world keeps, wrapped by another side. */
export async function rewrapped(
  world: World,
  { keyring }: Side,
): Promise<{ readonly wraps: readonly EncryptedDataKey[] }> {
  const { made } = await world.rewrap({ keyring, proof: "none" });
  return { wraps: made.map(({ wrap }) => wrap) };
}

/** Bytes that nothing opens. */
export const garbage = (ciphertext: Buffer): Buffer => Buffer.from(ciphertext.map((byte) => byte ^ 1));
