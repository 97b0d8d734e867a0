/**
 * A key store in memory with keys under real regions that can be taken away.
 */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KeyKind, KeyPlace, KeyRow, KeyStore, Lease } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { RegionWraps } from "../../src/keys/region-wraps.ts";
import { addWraps } from "../../src/convergence/add-wraps.ts";
import type { KeyWorkDependencies } from "../../src/convergence/add-wraps.ts";
import type { WorkOutcome } from "../../src/convergence/work.ts";
import { QUICK_KEYRING, regionalKeys, until } from "./regional-vault.ts";
import type { Region, RegionalKeys } from "./regional-vault.ts";

export interface RegionalKeyStore extends RegionalKeys {
  readonly store: KeyStore;
  readonly keyring: MultiRegionKeyring;
  readonly dependencies: KeyWorkDependencies;
  /** Makes the first key of somebody new. */
  make(kind?: KeyKind, owner?: string): Promise<KeyPlace>;
  row(place: KeyPlace): Promise<KeyRow>;
  repair(place: KeyPlace, lease?: Lease | null): Promise<WorkOutcome>;
  /** The key in hexadecimal, opened by the wraps of one region alone. */
  openedIn(region: Region, place: KeyPlace): Promise<string>;
  allUp(): Promise<void>;
}

/** As a process is that has the next generation in force, of the same wrapping keys. */
export async function ofNextGeneration(dependencies: KeyWorkDependencies): Promise<KeyWorkDependencies> {
  const { keyring } = await dependencies.keySets.forWriting();
  const keySets = new KeySets(dependencies.store.gate, parseKeySet(keyring, undefined, 2), null);
  await keySets.flip();
  return { ...dependencies, keySets };
}

/** @param clientOf what stands between the keyring and the KMS */
export async function regionalKeyStore(
  t: TestContext,
  clientOf: (client: KmsClient, region: Region) => KmsClient = (client) => client,
): Promise<RegionalKeyStore> {
  const regional = await regionalKeys(t);
  const regions = regional.keys.map((key) => ({ ...key, client: clientOf(key.client, key.region) }));
  const keyring = multiRegionKeyring({ regions, minimum: 1, proveWraps: "off", ...QUICK_KEYRING });
  const store = memoryKeyStore();
  const dependencies: KeyWorkDependencies = {
    store,
    vault: (await store.gate.current()).vault,
    keySets: new KeySets(store.gate, parseKeySet(keyring, undefined, 1), null),
    clock: () => new Date(),
    signal: undefined,
  };
  const row = async ({ owner, version }: KeyPlace): Promise<KeyRow> => (await store.keys.version(owner, version)).key!;
  return {
    ...regional,
    store,
    keyring,
    dependencies,
    make: async (kind = "subject", owner = randomUUID()) => {
      const fresh = await new RegionWraps(dependencies).make({ kind, owner }, 1, undefined);
      fresh.key.wipe();
      await store.keys.create([{ epoch: fresh.epoch, name: null, key: fresh.row }]);
      return { kind, owner, version: fresh.row.version };
    },
    row,
    repair: (place, lease = null) => addWraps(dependencies, place, lease),
    openedIn: async (region, place) => {
      const only = regions.filter((key) => key.region === region);
      const own = multiRegionKeyring({ regions: only, minimum: 1, ...QUICK_KEYRING });
      const keySets = new KeySets(store.gate, parseKeySet(own, undefined, 1), null);
      using key = (await new RegionWraps({ ...dependencies, keySets }).open(await row(place))).key;
      return Buffer.from(key.bytes).toString("hex");
    },
    allUp: () => until(async () => (await keyring.probe()).every(({ state }) => state === "up")),
  };
}
