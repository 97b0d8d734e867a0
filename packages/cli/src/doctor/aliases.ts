// Do the aliases of an installation's keys still name its keys? Nothing is wrapped by an alias: keys.json says which
// keys these are. Threat: somebody points an alias elsewhere, and the next start that has lost keys.json, or a person
// who goes by the alias, takes another key for the vault's.
import type { KMS } from "@aws-sdk/client-kms";
import { shown } from "@strongroom/base/shown";
import {
  type InstallationKeys,
  KEY_ALIASES,
  KEY_PURPOSES,
  readInstallationKeys,
} from "../installation/installed-keys.ts";
import { kmsClient } from "../installation/keyring.ts";
import { isNamed } from "../installation/region-keys.ts";
import { type Check, type Finding, PATIENCE_MS } from "./check.ts";
import { addressOf, knownRegions } from "./known-regions.ts";

/** Of `up`: regions that are configured name their keys themselves. */
export const checkAliases: Check = async (subject) => {
  const { loaded, folder, signal } = subject;
  if (loaded.config.keys.regions !== undefined) return [];
  const installed = await readInstallationKeys(folder.keys).catch(() => null);
  if (installed === null) return [];
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const regions = await knownRegions(subject);
  const found = await Promise.all(
    regions.map(async (region) => {
      const client = await kmsClient(region).catch((): KMS | null => null);
      if (client === null) return [];
      try {
        const endpoint = region.endpoint ?? addressOf(region);
        return await aliasFindings({ client, region: region.region, endpoint, installed, signal: bounded });
      } finally {
        client.destroy();
      }
    }),
  );
  return found.flat();
};

/** The aliases of one region. */
export interface RegionAliases {
  readonly client: Pick<KMS, "describeKey">;
  readonly region: string;
  /** Where a person reaches the region. */
  readonly endpoint: string;
  readonly installed: InstallationKeys;
  readonly signal: AbortSignal;
}

/** One finding of each alias that names another key than keys.json, or none where all are right. */
export async function aliasFindings(parts: RegionAliases): Promise<readonly Finding[]> {
  const { region, endpoint, installed } = parts;
  const findings: Finding[] = [];
  for (const purpose of KEY_PURPOSES) {
    const present = installed[purpose][region];
    if (present === undefined) continue;
    const alias = KEY_ALIASES[purpose];
    const target = await targetOf(alias, parts);
    // While a rotation ends it already names the next key.
    if (target === null || target === present || target === installed.next?.[purpose][region]) continue;
    findings.push({
      what: `Alias (${region})`,
      severity: "warning",
      detail: `${alias} ${said(target)}; the key of ${purpose === "records" ? "records" : "people"} is ${present}`,
      remedy:
        "Find out who changed it, then point it back, as the operator: " +
        `aws kms ${target === ABSENT ? "create" : "update"}-alias --endpoint-url ${endpoint} --alias-name ${alias} ` +
        `--target-key-id ${present}`,
    });
  }
  return findings;
}

const ABSENT = "absent";
const HIDDEN = "hidden";

const SAID: Readonly<Record<string, string>> = {
  [ABSENT]: "is not there",
  [HIDDEN]: "points to a key that the service may not look at",
};
const said = (target: string): string => SAID[target] ?? `points to ${shown(target)}`;

/** The ARN of the key, {@link ABSENT} or {@link HIDDEN}; null: the region does not answer, which is said of it. */
async function targetOf(alias: string, { client, signal }: RegionAliases): Promise<string | null> {
  try {
    const { KeyMetadata } = await client.describeKey({ KeyId: alias }, { abortSignal: signal });
    return KeyMetadata?.Arn ?? null;
  } catch (error) {
    if (isNamed(error, "NotFoundException")) return ABSENT;
    return isNamed(error, "AccessDeniedException") ? HIDDEN : null;
  }
}
