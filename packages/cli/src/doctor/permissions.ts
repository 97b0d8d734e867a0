// Each permission that the service needs, proven in every region by a dry run: the KMS decides as it would, and does
// nothing (AWS KMS Developer Guide, "Testing your permissions"). A permission that lacks is a finding of its own.
import type { KMS } from "@aws-sdk/client-kms";
import { kmsClient } from "../installation/keyring.ts";
import { missingPermissions, type MissingPermission, SERVICE_PERMISSIONS } from "../installation/key-permissions.ts";
import { type Check, type Finding, PATIENCE_MS } from "./check.ts";
import { type KnownRegion, knownRegions } from "./known-regions.ts";

/** The service's permissions on its key, region by region. What does not answer is a finding of the region's check. */
export const checkKeyPermissions: Check = async (subject) => {
  const regions = await knownRegions(subject);
  const findings = await Promise.all(regions.map((region) => examine(region, subject.signal)));
  return findings.flat();
};

async function examine(region: KnownRegion, signal: AbortSignal): Promise<readonly Finding[]> {
  const { keyArn } = region;
  if (keyArn === null) return [];
  const what = `Permissions (${region.region})`;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const client = await kmsClient(region).catch((): KMS | null => null);
  if (client === null) return [];
  try {
    const { missing, unproven } = await missingPermissions({ client, keyArn, signal: bounded });
    if (missing.length > 0) return missing.map((one) => lacking(one, region, keyArn));
    if (unproven.length === 0)
      return [{ what, severity: "ok", detail: `${SERVICE_PERMISSIONS.join(", ")}: proven by dry run` }];
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

function lacking({ action, underContext }: MissingPermission, { region }: KnownRegion, keyArn: string): Finding {
  const condition = underContext ? ", under the encryption context of records" : "";
  return {
    what: `${action} (${region})`,
    severity: "failure",
    detail: `is not allowed to the service on ${keyArn}${condition}`,
    remedy:
      `Allow ${action} there, in the key's policy or the service's own: strongroom kms policy template --for service ` +
      "prints both.",
  };
}
