// Making the keys of a seed: all of them or none, in one commit, each on record in the audit. A key that is there
// already stays as it is, so that a server can be started with the same seed again and again.

import { mkdirSync } from "node:fs";
import { defaultKeyPolicy } from "../access/policy.ts";
import { serviceEvent } from "../audit/event.ts";
import { generateSecret, materialIdOf } from "../crypto/backing-secret.ts";
import type { BackingSecret } from "../crypto/backing-secret.ts";
import { KmsError } from "../errors.ts";
import { isMultiRegionId, keyArn } from "../keys/key-arn.ts";
import { KeyMaterial } from "../keys/key-material.ts";
import type { BackingKey, KeyRecord } from "../keys/key-record.ts";
import { settleOptions } from "../options.ts";
import type { KmsOptions } from "../options.ts";
import { closeCustody, openCustody } from "../store/custody.ts";
import type { Change } from "../store/region-data.ts";
import { Store } from "../store/store.ts";
import { readSeed } from "./read-seed.ts";
import type { SeedKey, SeedSource } from "./read-seed.ts";

/** Where the keys are made. */
export interface SeedTarget {
  readonly store: Store;
  readonly material: KeyMaterial;
  readonly account: string;
  /** Milliseconds. */
  readonly now: number;
}

/** What came of a seed; a multi-Region key counts once per region. */
export interface SeedReport {
  /** ARNs. */
  readonly made: readonly string[];
  readonly kept: readonly string[];
  /** Those whose material anyone can read who can read the seed. */
  readonly openMaterial: readonly string[];
}

/** What a person is told whenever a seed has brought material along; null if it has not. */
export function warningOf({ openMaterial }: SeedReport): string | null {
  if (openMaterial.length === 0) return null;
  const keys = openMaterial.length === 1 ? "1 key has" : `${openMaterial.length} keys have`;
  return (
    `NOT SECRET: ${keys} material that is written in a seed. ` +
    "Whoever can read the seed can decrypt and sign with it. For tests only."
  );
}

/**
 * Makes the keys of a seed and wipes their material there.
 * @throws KmsError `seed-conflict`, listing every key that is there already, but another one.
 */
export async function applySeed(seed: readonly SeedKey[], target: SeedTarget): Promise<SeedReport> {
  try {
    const conflicts = seed.flatMap((key) => conflictsOf(key, target));
    if (conflicts.length > 0)
      throw new KmsError("seed-conflict", `\n${conflicts.map((line) => `  ${line}`).join("\n")}`);
    const made: KeyRecord[] = [];
    for (const key of seed) {
      if (absentRegions(key, target).length === 0) continue;
      for (const record of await keysOf(key, target)) made.push(record);
    }
    const aliases = seed.flatMap((key) => aliasesOf(key, made, target));
    const changes: Change[] = [...made.map((key): Change => ({ kind: "put-key", key })), ...aliases];
    target.store.apply(changes);
    await target.store.commit(
      target.store.epoch,
      changes,
      made.map((key) => serviceEvent({ name: "SeedKey", key, account: target.account, at: target.now })),
    );
    return reportOf(seed, made, target);
  } finally {
    for (const { secret } of seed.flatMap((key) => key.material)) secret.fill(0);
  }
}

const arnsOf = (key: SeedKey, account: string): readonly string[] =>
  key.regions.map((region) => keyArn(region, account, key.id));

function reportOf(seed: readonly SeedKey[], made: readonly KeyRecord[], { account }: SeedTarget): SeedReport {
  const isMade = new Set(made.map((key) => key.arn));
  return {
    made: [...isMade],
    kept: seed.flatMap((key) => arnsOf(key, account)).filter((arn) => !isMade.has(arn)),
    openMaterial: seed.filter((key) => key.material.length > 0).flatMap((key) => arnsOf(key, account)),
  };
}

const absentRegions = (key: SeedKey, { store }: SeedTarget): readonly string[] =>
  key.regions.filter((region) => !store.region(region).keys.has(key.id));

/** In what a key or alias that is there differs from the seed. What its users may have changed since does not count. */
function conflictsOf(key: SeedKey, target: SeedTarget): readonly string[] {
  const absent = absentRegions(key, target);
  if (absent.length > 0 && absent.length < key.regions.length)
    return [`${key.at}: ${key.id} exists, but not in ${absent.join(", ")}.`];
  return key.regions.flatMap((region) => {
    const state = target.store.region(region);
    const present = state.keys.get(key.id);
    if (present === undefined) {
      return key.aliases
        .filter((name) => state.aliases.has(name))
        .map((name) => `${key.at}: ${name} exists in ${region}, for another key.`);
    }
    const ids = key.material.map(({ secret }) => materialIdOf(key.id, secret));
    const differs = [
      ...(present.spec === key.spec ? [] : ["spec"]),
      ...(present.usage === key.usage ? [] : ["usage"]),
      ...(ids.every((id) => present.backingKeys.some((backing) => backing.id === id)) ? [] : ["material"]),
    ];
    return differs.length === 0
      ? []
      : [`${key.at}: ${key.id} exists in ${region} with another ${differs.join(" and ")}.`];
  });
}

/** The records of a new key, one per region. */
async function keysOf(key: SeedKey, { material, account, now }: SeedTarget): Promise<readonly KeyRecord[]> {
  const secrets = key.material.length > 0 ? key.material : [await generateSecret(key.spec)];
  const multiRegion = isMultiRegionId(key.id);
  const records = key.regions.map((region): KeyRecord => ({
    region,
    keyId: key.id,
    arn: keyArn(region, account, key.id),
    createdAt: now,
    description: key.description,
    spec: key.spec,
    usage: key.usage,
    origin: "AWS_KMS",
    enabled: key.enabled,
    deletion: null,
    policy: key.policy ?? defaultKeyPolicy(account),
    tags: key.tags,
    primaryRegion: multiRegion ? (key.regions[0] ?? region) : null,
    automaticRotation: null,
    backingKeys: secrets.map((secret, position) =>
      backingKey(secret, { region, key, material, now, position, count: secrets.length }),
    ),
  }));
  for (const { secret } of secrets) secret.fill(0);
  return records;
}

interface Position {
  readonly region: string;
  readonly key: SeedKey;
  readonly material: KeyMaterial;
  readonly now: number;
  readonly position: number;
  readonly count: number;
}

function backingKey(
  { secret, publicKey }: BackingSecret,
  { region, key, material, now, position, count }: Position,
): BackingKey {
  const id = materialIdOf(key.id, secret);
  return {
    id,
    createdAt: now,
    sealed: material.sealSecret({ region, keyId: key.id, spec: key.spec }, id, secret),
    publicKey,
    state: position === count - 1 ? "current" : "former",
    rotation: position === 0 ? null : { kind: "ON_DEMAND", at: now },
    imported: null,
  };
}

/** The aliases of those keys that are new. */
function aliasesOf(key: SeedKey, made: readonly KeyRecord[], { now }: SeedTarget): readonly Change[] {
  return made
    .filter(({ keyId, region }) => keyId === key.id && key.regions.includes(region))
    .flatMap(({ region }) =>
      key.aliases.map((name): Change => ({
        kind: "put-alias",
        alias: { region, name, keyId: key.id, createdAt: now, updatedAt: now },
      })),
    );
}

/** What `seedDataDir` is asked to do: the options of the server that is to find the keys. */
export interface SeedOptions extends Pick<KmsOptions, "regions" | "rootKey" | "accountId" | "clock"> {
  readonly dataDir: string;
  readonly seed: SeedSource;
}

/**
 * Makes the keys of a seed in a data directory, which is made if it does not exist.
 * @throws KmsError `seed-malformed`, `seed-conflict`, and those of starting a server there.
 * @example
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { createKms, seedDataDir } from "@strongroom/kms";
 *
 * const dataDir = await mkdtemp(join(tmpdir(), "kms-"));
 * const key = { id: "11111111-2222-4333-8444-555555555555", aliases: ["alias/orders"] };
 * const { made } = await seedDataDir({ dataDir, seed: { keys: [key] } });
 * await using kms = await createKms({ dataDir });
 * console.log(`${made.length} key waits in ${kms.clientConfig().region}`); // prints: 1 key waits in eu-west-1
 * ```
 */
export async function seedDataDir(options: SeedOptions): Promise<SeedReport> {
  const { dataDir, rootKey, accountId, clock, regions } = settleOptions(options);
  const names = regions.map((region) => region.name);
  const seed = readSeed(options.seed, names);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const custody = await openCustody(dataDir, rootKey);
  try {
    const store = await Store.open(custody, names);
    return await applySeed(seed, {
      store,
      material: new KeyMaterial(custody.sealer),
      account: accountId,
      now: clock.now(),
    });
  } finally {
    await closeCustody(custody);
  }
}
