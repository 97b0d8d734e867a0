// Each permission that the service needs, proven in every region by a dry run: the KMS decides as it would, and does
// nothing (AWS KMS Developer Guide, "Testing your permissions"). A permission that lacks is a finding of its own.
import type { KMS } from "@aws-sdk/client-kms";
import { kmsClient } from "../installation/keyring.ts";
import { missingPermissions, type MissingPermission, SERVICE_PERMISSIONS } from "../installation/key-permissions.ts";
import type { KeyPurpose } from "../installation/installed-keys.ts";
import { type Check, type Finding, PATIENCE_MS } from "./check.ts";
import { keysOf, type KnownRegion, knownRegions } from "./known-regions.ts";

/** The service's permissions on its key, region by region. What does not answer is a finding of the region's check. */
export const checkKeyPermissions: Check = async (subject) => {
  const regions = await knownRegions(subject);
  const findings = await Promise.all(regions.map((region) => examine(region, subject.signal)));
  return findings.flat();
};

async function examine(region: KnownRegion, signal: AbortSignal): Promise<readonly Finding[]> {
  const findings = await Promise.all(keysOf(region).map(async (key) => examineKey(region, key, signal)));
  return findings.flat();
}

async function examineKey(
  region: KnownRegion,
  [purpose, keyArn]: readonly [KeyPurpose, string],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const what = `Permissions (${region.region})`;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const client = await kmsClient(region).catch((): KMS | null => null);
  if (client === null) return [];
  try {
    const { missing, unproven } = await missingPermissions({ client, keyArn, purpose, signal: bounded });
    if (missing.length > 0) return missing.map((one) => lacking(one, region, [purpose, keyArn]));
    if (unproven.length === 0)
      return [{ what, severity: "ok", detail: `${SERVICE_PERMISSIONS.join(", ")}: proven by dry run${OF[purpose]}` }];
    // A key that is disabled says so to a dry run as well; its state is a finding already.
    return [
      {
        what,
        severity: "warning",
        detail: `not proven: ${unproven.map(({ action, reason }) => `${action} (${reason})`).join(", ")}`,
        remedy: "Run strongroom doctor again once the region answers and its key is enabled.",
      },
    ];
  } finally {
    client.destroy();
  }
}

/** What is said of the second key of a region. */
const OF: Readonly<Record<KeyPurpose, string>> = { records: "", keyStore: ", on the key of people" };

function lacking(
  { action, underContext, isOptional }: MissingPermission,
  { region }: KnownRegion,
  [purpose, keyArn]: readonly [KeyPurpose, string],
): Finding {
  const condition = underContext
    ? `, under the encryption context of ${purpose === "records" ? "records" : "keys of people"}`
    : "";
  return {
    what: `${action} (${region})`,
    severity: isOptional ? "warning" : "failure",
    detail:
      `is not allowed to the service on ${keyArn}${condition}` +
      (isOptional ? ": keys move to another wrapping key by being opened, with more calls" : ""),
    remedy:
      `Allow ${action} there, in the key's policy or the service's own: strongroom kms policy template --for service ` +
      "prints both.",
  };
}
