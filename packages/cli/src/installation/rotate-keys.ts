// New keys for an installation that makes its own: the next key set, made through the ordinary KMS API and remembered
// in keys.json before anything is wrapped under it; then, when everything is, it becomes the present one, the aliases
// point to it, and the keys that were left are named until they are retired. Each step may be interrupted and run
// again.
import { CliError } from "../errors.ts";
import {
  type InstallationKeys,
  isOtherKeys,
  KEY_ALIASES,
  KEY_PURPOSES,
  type KeyPurpose,
  keyDescription,
  type LeftKey,
  type PurposeKeys,
  readInstallationKeys,
  type RegionKeys,
  writeInstallationKeys,
} from "./installed-keys.ts";
import { describe, keyOfDescription, reason, type RegionClient } from "./region-keys.ts";

/**
 * Makes the keys of the next set, or finds those that were made before. A purpose that is not rotated keeps its keys.
 *
 * @param clients of every region that has a key, as an operator
 * @throws CliError `rotation-begun`: a shred is asked for, and what has begun is none; `keys-not-ready` when a region
 *   made none; what reading keys.json does
 */
export async function makeNextKeys(
  path: string,
  clients: readonly RegionClient[],
  purposes: readonly KeyPurpose[],
  { isShred = false }: { readonly isShred?: boolean } = {},
): Promise<PurposeKeys> {
  const found = await readInstallationKeys(path);
  // One that was begun goes on: a rotation becomes no shred, whose keys would be of the generation before.
  const isBegun = found.next !== null && isOtherKeys(found.next.keyStore, found.keyStore);
  if (isShred && isBegun && found.nextGeneration === found.generation)
    throw new CliError("rotation-begun", {
      detail: "A rotation of people's keys has begun that stays within their shredding generation.",
    });
  const nextGeneration = isBegun ? found.nextGeneration : found.generation + (isShred ? 1 : 0);
  const installed = { ...found, nextGeneration };
  const made: Record<KeyPurpose, RegionKeys> = { records: {}, keyStore: {} };
  for (const purpose of KEY_PURPOSES) {
    const present = installed[purpose];
    const begun = installed.next?.[purpose];
    // Begun before with other purposes: what was made then is a part of it.
    if (!purposes.includes(purpose)) made[purpose] = begun ?? present;
    else if (begun !== undefined && isOtherKeys(begun, present)) made[purpose] = begun;
    else made[purpose] = await newKeys(installed, purpose, clients);
  }
  await writeInstallationKeys(path, { ...installed, next: made });
  return made;
}

async function newKeys(
  installed: InstallationKeys,
  purpose: KeyPurpose,
  clients: readonly RegionClient[],
): Promise<RegionKeys> {
  const regions = Object.keys(installed[purpose]);
  const description = keyDescription(purpose, installed.set + 1, installed.nextGeneration);
  const attempts = await Promise.allSettled(
    regions.map(async (region) => {
      const client = clients.find((one) => one.region === region)?.client;
      if (client === undefined) throw new Error("not reached");
      return [region, (await keyOfDescription(client, description)).arn] as const;
    }),
  );
  const problems = attempts.flatMap((attempt, index) =>
    attempt.status === "rejected" ? [`${regions[index] ?? "?"}: ${reason(attempt.reason)}`] : [],
  );
  // A set that lacks a region would leave everything there one wrap short, and look like a decision.
  if (problems.length > 0) throw new CliError("keys-not-ready", { problems });
  return Object.fromEntries(attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : [])));
}

/** Keys of the one that the other has not. */
function leftOf(keys: PurposeKeys, staying: PurposeKeys): readonly LeftKey[] {
  return KEY_PURPOSES.flatMap((purpose) =>
    Object.entries(keys[purpose])
      .filter(([region, keyArn]) => staying[purpose][region] !== keyArn)
      .map(([region, keyArn]): LeftKey => ({ purpose, region, keyArn })),
  );
}

/**
 * The next set becomes the present one: keys.json first, then the aliases. Done when it is done already.
 *
 * @throws CliError what reading keys.json does
 */
export async function promoteNextKeys(path: string, clients: readonly RegionClient[]): Promise<InstallationKeys> {
  const before = await readInstallationKeys(path);
  const { next } = before;
  if (next === null) return before;
  const { nextGeneration } = before;
  const left = [...before.left, ...leftOf(before, next)];
  const after = { ...next, set: before.set + 1, next: null, left, generation: nextGeneration, nextGeneration };
  await writeInstallationKeys(path, after);
  await pointAliases(after, clients);
  return after;
}

/**
 * Points the aliases to the present keys, where a region answers and one points elsewhere: they are for people, and
 * nothing here finds a key by them once it is remembered.
 *
 * @returns regions whose alias could not be moved
 */
export async function pointAliases(keys: PurposeKeys, clients: readonly RegionClient[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const purpose of KEY_PURPOSES)
    for (const { region, client } of clients) {
      const keyArn = keys[purpose][region];
      if (keyArn === undefined) continue;
      try {
        const alias = KEY_ALIASES[purpose];
        const found = await describe(client, alias);
        if (found === null) await client.createAlias({ AliasName: alias, TargetKeyId: keyArn });
        else if (found.arn !== keyArn) await client.updateAlias({ AliasName: alias, TargetKeyId: keyArn });
      } catch {
        failed.push(region);
      }
    }
  return [...new Set(failed)];
}

/** The next set is given up: the present one stays. Its keys are named with those that were left. */
export async function dropNextKeys(path: string): Promise<InstallationKeys> {
  const before = await readInstallationKeys(path);
  const { next } = before;
  if (next === null) return before;
  // The number is used up: keys of that description are not to be taken for those of a later set.
  const left = [...before.left, ...leftOf(next, before)];
  const after = { ...before, set: before.set + 1, next: null, left, nextGeneration: before.generation };
  await writeInstallationKeys(path, after);
  return after;
}
