/**
 * A vault over the real multi-region keyring and a real KMS with three regions that can be taken away.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { createKms } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";
import type { OwedVersion, RepairOptions, Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { temporaryFolder } from "./storage.ts";
import { testVault } from "./vault.ts";
import type { TestVault, TestVaultOptions } from "./vault.ts";

export const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;
export type Region = (typeof REGIONS)[number];

export interface RegionalKeys {
  readonly dataDir: string;
  readonly kms: Kms;
  readonly keys: readonly { readonly region: Region; readonly keyArn: string; readonly client: KMS }[];
}

export interface RegionalVault extends TestVault, RegionalKeys {
  readonly keyring: MultiRegionKeyring;
}

/** A region that is back is found at once, and a busy machine is not taken for a lost region. */
export const QUICK_KEYRING: Partial<MultiRegionOptions> = {
  breakerFirstRestMs: 20,
  breakerLongestRestMs: 40,
  stragglerMinMs: 8_000,
  attemptTimeoutMs: 8_000,
  deadlineMs: 20_000,
};

export const QUICK_REPAIR: RepairOptions = {
  intervalMs: 100,
  lookMs: 10,
  regionWaitMs: 20,
  longestRegionWaitMs: 50,
  itemsPerSecond: 1_000,
};

export async function regionalKeys(t: TestContext): Promise<RegionalKeys> {
  const dataDir = await temporaryFolder(t);
  const kms = await createKms({
    dataDir,
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
  });
  defer(t, () => kms.close());
  const credentials = JSON.parse(await readFile(join(dataDir, "credentials.json"), "utf8")) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  const keys = await Promise.all(
    REGIONS.map(async (region) => {
      const client = new KMS({ region, endpoint: kms.endpoints[region]!, credentials, maxAttempts: 1 });
      defer(t, () => {
        client.destroy();
      });
      return { region, keyArn: (await client.createKey({})).KeyMetadata!.Arn!, client };
    }),
  );
  return { dataDir, kms, keys };
}

export interface RegionalOptions extends Pick<
  TestVaultOptions,
  "clock" | "storage" | "store" | "keys" | "collections"
> {
  readonly keyring?: Partial<MultiRegionOptions>;
  /** Repairs in the background, seeing the keyring's health. */
  readonly repair?: RepairOptions;
}

/** A write needs 2 of the 3 regions unless the options say otherwise. */
export async function regionalVault(
  t: TestContext,
  { keyring: keyringOptions, repair, ...options }: RegionalOptions = {},
): Promise<RegionalVault> {
  const regional = await regionalKeys(t);
  const keyring = multiRegionKeyring({ regions: regional.keys, minimum: 2, ...keyringOptions });
  const repairing = repair === undefined ? {} : { repair: { health: () => keyring.health(), ...repair } };
  return { ...(await testVault(t, { ...options, ...repairing, keyring })), ...regional, keyring };
}

/** Waits until something holds; the test's own time-out ends a wait that is in vain. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const owesNothing = (vault: Vault) => async (): Promise<boolean> => (await vault.wrapDebt()).items === 0;

/** The versions among the first 1,000 things that owe a wrap. */
export async function owedVersions(vault: Vault): Promise<readonly OwedVersion[]> {
  return (await vault.debts({ limit: 1000 })).items.filter((item) => item.kind === "version");
}

export async function putSome(vault: Vault, count: number, prefix = "id"): Promise<void> {
  await vault.putMany(
    "people",
    Array.from({ length: count }, (_, n) => ({ id: `${prefix}-${n}`, document: { n } })),
    { onExisting: "replace" },
  );
}
