// The KMS that runs in a data folder, as its clients reach it: over its sockets, or over TLS, its certificate pinned.
import type { Config } from "../config/config.ts";
import { installedKeySet, type InstalledKeySet } from "./key-sets.ts";
import { type InstalledRegion, kmsClient } from "./keyring.ts";
import type { KmsProcess } from "./kms-process.ts";
import type { RegionKeys } from "./installed-keys.ts";
import type { RegionClient } from "./region-keys.ts";

/** Where it is reached, as its process said it over the channel to it, or wrote it into the folder. */
export type LocalKmsPlace = Pick<KmsProcess, "endpoints" | "sockets" | "tlsFingerprint">;

/** Clients of regions, which sign with the access key of a file. Throws what {@link kmsClient} does. */
export async function regionClients(
  regions: readonly string[],
  { endpoints, sockets, tlsFingerprint }: LocalKmsPlace,
  credentialsFile: string,
): Promise<readonly RegionClient[]> {
  const pinned = tlsFingerprint === null ? {} : { tlsFingerprint };
  return Promise.all(
    regions.map(async (region) => {
      const place = { region, endpoint: endpoints[region], socket: sockets[region], ...pinned };
      return { region, client: await kmsClient({ ...place, credentialsFile }) };
    }),
  );
}

/** The regions that have a key, with it. */
export function withKeys(clients: readonly RegionClient[], keys: RegionKeys): readonly InstalledRegion[] {
  return clients.flatMap(({ region, client }) => {
    const keyArn = keys[region];
    return keyArn === undefined ? [] : [{ region, client, keyArn }];
  });
}

/** Regions that are left out are no part of what is wanted of a write. */
export function localKeySet(config: Config, regions: readonly InstalledRegion[], generation?: number): InstalledKeySet {
  const { target } = config.keys;
  const reachable = target === undefined ? {} : { target: Math.min(target, regions.length) };
  return installedKeySet({ ...config, keys: { ...config.keys, ...reachable } }, regions, generation);
}
