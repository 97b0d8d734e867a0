// The new keys of a rotation: of an installation that makes its own, the next set in keys.json; of configured regions a
// new key in each, named for whoever puts them into keys.next.
import type { Config, WrappingRegion } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { type CommandKeys, openCommandKeys } from "../installation/command-keys.ts";
import { KEY_ALIASES, type KeyPurpose, type PurposeKeys } from "../installation/installed-keys.ts";
import { kmsClient } from "../installation/keyring.ts";
import { regionClients } from "../installation/local-kms.ts";
import { keyOfDescription, reason, type RegionClient } from "../installation/region-keys.ts";
import { makeNextKeys } from "../installation/rotate-keys.ts";

/** Alias -> what its key wraps. */
const ROTATED: Readonly<Record<string, readonly KeyPurpose[]>> = {
  [KEY_ALIASES.records]: ["records"],
  [KEY_ALIASES.keyStore]: ["keyStore"],
};

/** What an alias stands for; without one, both. Throws `usage` with the aliases that there are. */
export function rotatedPurposes(alias: string | undefined): readonly KeyPurpose[] {
  if (alias === undefined) return Object.values(ROTATED).flat();
  const found = ROTATED[alias];
  if (found !== undefined) return found;
  throw new CliError("usage", {
    detail: "Keys are rotated by their alias.",
    problems: Object.keys(ROTATED),
    remedy: "Leave it out to rotate both: the keys of records, and those that wrap the keys of people.",
  });
}

/** Whose keys, and by whom they are made. */
export interface NewKeysRequest {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly signal: AbortSignal;
  readonly purposes: readonly KeyPurpose[];
  /** The access key of whoever may make keys; left out: the operator's of this folder, or the service's own. */
  readonly credentials: string | undefined;
  /** Whether those of people are of the next shredding generation. */
  readonly isShred?: boolean;
}

/** Makes the next keys of an installation that makes its own. Throws `keys-not-ready`, and what opening keys does. */
export async function nextInstalledKeys(request: NewKeysRequest): Promise<PurposeKeys> {
  const { config, folder, signal, purposes, credentials, isShred = false } = request;
  const { rootKey, witness: kmsWitness } = config.kms;
  const keys: CommandKeys = await openCommandKeys({ config, folder, signal, rootKey, kmsWitness });
  try {
    if (keys.place === null) throw new TypeError("the regions are configured");
    const names = Object.keys(keys.place.endpoints);
    const operator = await regionClients(names, keys.place, credentials ?? folder.kmsOperatorCredentials);
    return await makeNextKeys(folder.keys, operator, purposes, { isShred });
  } finally {
    await keys.close();
  }
}

/** A region as `keys.next` has it. */
export type NextRegion = WrappingRegion;

/** The members of a region that name its keys. */
const MEMBERS: Readonly<Record<KeyPurpose, "keyArn" | "keyStoreKeyArn">> = {
  records: "keyArn",
  keyStore: "keyStoreKeyArn",
};

/**
 * Makes a new key in each configured region, or finds the one that was made before on that day, and gives the regions
 * as `keys.next` is to have them. Nothing is changed here: that is for whoever keeps the configuration.
 */
export async function newConfiguredKeys(request: NewKeysRequest, now: Date): Promise<readonly NextRegion[]> {
  const { config, purposes, credentials } = request;
  const { regions = [], allowUnauthenticatedKms: allowUnauthenticated } = config.keys;
  const day = now.toISOString().slice(0, 10);
  const attempts = await Promise.allSettled(
    regions.map(async (region): Promise<NextRegion> => {
      const place = { ...region, allowUnauthenticated };
      const client = await kmsClient(credentials === undefined ? place : { ...place, credentialsFile: credentials });
      let next: NextRegion = region;
      for (const purpose of purposes) {
        // Those of people are no others than those of records where no region names any.
        if (purpose === "keyStore" && region.keyStoreKeyArn === undefined) continue;
        next = { ...next, [MEMBERS[purpose]]: await newKey({ region: region.region, client }, purpose, day) };
      }
      return next;
    }),
  );
  const problems = attempts.flatMap((attempt, index) =>
    attempt.status === "rejected" ? [`${regions[index]?.region ?? "?"}: ${reason(attempt.reason)}`] : [],
  );
  if (problems.length > 0) throw new CliError("keys-not-ready", { problems });
  return attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
}

async function newKey({ client }: RegionClient, purpose: KeyPurpose, day: string): Promise<string> {
  const wraps = purpose === "records" ? "the data keys of records" : "the keys of people and nothing else";
  const description = `Strongroom: wraps ${wraps}, made for a rotation on ${day}`;
  return (await keyOfDescription(client, description)).arn;
}
