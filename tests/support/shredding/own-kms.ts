// The project's own KMS in two regions, with a clock that is put forward, and whoever may do everything in it.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { AdjustableClock, createKms } from "@strongroom/kms";
import type { KeySetInput } from "@strongroom/vault";
import { QUICK_KEYRING } from "../../../packages/vault/test/support/regional-vault.ts";
import { defer } from "../defer.ts";

const REGIONS = ["eu-west-1", "eu-central-1"] as const;
export const DAY_MS = 86_400_000;

export interface OwnKms {
  readonly clock: AdjustableClock;
  /** Region -> a client by the access key of the account's root. */
  readonly roots: ReadonlyMap<string, KMS>;
  readonly newKeys: () => Promise<KeySetInput & { readonly keySet: readonly string[] }>;
}

/** Closed after the test. @param dataDir a folder that is not there yet */
export async function ownKms(t: TestContext, dataDir: string): Promise<OwnKms> {
  const clock = new AdjustableClock();
  await mkdir(dataDir, { mode: 0o700 });
  const kms = await createKms({
    ...{ dataDir, clock, regions: REGIONS.map((name) => ({ name, port: 0 })) },
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
  });
  defer(t, () => kms.close());
  const credentials = JSON.parse(await readFile(join(dataDir, "credentials.json"), "utf8")) as {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  const roots = new Map<string, KMS>();
  for (const region of REGIONS) {
    const client = new KMS({ region, endpoint: kms.endpoints[region]!, credentials, maxAttempts: 1 });
    defer(t, () => {
      client.destroy();
    });
    roots.set(region, client);
  }
  const newKeys: OwnKms["newKeys"] = async () => {
    const keys = await Promise.all(
      [...roots].map(async ([region, client]) => ({
        ...{ region, client },
        keyArn: (await client.createKey({})).KeyMetadata!.Arn!,
      })),
    );
    const keyring = multiRegionKeyring({ regions: keys, minimum: REGIONS.length, ...QUICK_KEYRING });
    return { keyring, keySet: keys.map(({ keyArn }) => keyArn) };
  };
  return { clock, roots, newKeys };
}

/** Of the ARN of a key. */
export const regionOf = (arn: string): string => arn.split(":")[3] ?? "";

/** Days pass in the KMS, and for those who sign what they ask of it. */
export async function pass(clock: AdjustableClock, roots: ReadonlyMap<string, KMS>, days: number): Promise<void> {
  clock.advance(days * DAY_MS);
  for (const client of roots.values()) client.config.systemClockOffset += days * DAY_MS;
  await Promise.all([...roots.values()].map((client) => client.listKeys({})));
}
