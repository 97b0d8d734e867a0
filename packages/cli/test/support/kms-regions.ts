// For tests: the project's own KMS in this process, and clients of its regions as the command makes them.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { KMS } from "@aws-sdk/client-kms";
import { createKms, type Kms } from "@strongroom/kms";
import { kmsClient } from "../../src/installation/keyring.ts";
import type { RegionClient } from "../../src/installation/region-keys.ts";

/** A KMS that a test closes. */
export interface KmsRegions {
  readonly kms: Kms;
  /** As the account's root. */
  readonly regions: readonly RegionClient[];
  /** A region's client by the access key of a file in the folder. */
  readonly clientOf: (region: string, file: string) => Promise<KMS>;
}

/** Starts it in a folder that is made; with the users of a Strongroom where they are asked for. */
export async function kmsRegions(
  dataDir: string,
  names: readonly string[],
  users: { readonly strongroomUsers?: "made" } = {},
): Promise<KmsRegions> {
  await mkdir(dataDir, { mode: 0o700 });
  const kms = await createKms({
    dataDir,
    regions: names.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
    ...users,
  });
  const clientOf = (region: string, file: string): Promise<KMS> =>
    kmsClient({
      region,
      endpoint: kms.endpoints[region],
      allowUnauthenticated: true,
      credentialsFile: join(dataDir, file),
    });
  const regions = await Promise.all(
    names.map(async (region) => ({ region, client: await clientOf(region, "credentials.json") })),
  );
  return { kms, regions, clientOf };
}
