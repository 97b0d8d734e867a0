// Is a wrapping key older than it is to be? What counts is its material: since when new wraps are made under it.
import type { KMS } from "@aws-sdk/client-kms";
import { CRYPTOPERIOD_DAYS, DAY_MS, type MaterialAge, materialAge } from "../installation/material-age.ts";
import { kmsClient } from "../installation/keyring.ts";
import { type Check, type CheckSubject, type Finding, PATIENCE_MS } from "./check.ts";
import { type KnownRegion, knownRegions, keysOf } from "./known-regions.ts";

/** The keys that are configured, those of the next set too; a key that does not answer is the regions' finding. */
export const checkCryptoperiods: Check = async (subject) => {
  const days = subject.loaded.config.keys.cryptoperiodDays ?? CRYPTOPERIOD_DAYS;
  const regions = await knownRegions(subject);
  const looked = await Promise.all(regions.map((region) => examine(region, days, subject)));
  const found = looked.flat();
  const old = found.filter((finding) => finding !== null);
  if (found.length === 0 || old.length > 0) return old;
  return [{ what: "Cryptoperiod", severity: "ok", detail: `the material of each key is younger than ${days} days` }];
};

/** Of each key that answers; null: it is young enough. */
async function examine(
  region: KnownRegion,
  days: number,
  { signal }: CheckSubject,
): Promise<readonly (Finding | null)[]> {
  const client = await kmsClient(region).catch((): KMS | null => null);
  if (client === null) return [];
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const looked: (Finding | null)[] = [];
  for (const [purpose, keyArn] of keysOf(region))
    try {
      const age = await materialAge(client, keyArn, patience);
      looked.push(finding(region.region, purpose === "keyStore" ? " of people" : "", age, days));
    } catch {
      // Said of the region, or of the permission.
    }
  client.destroy();
  return looked;
}

function finding(region: string, whose: string, { since, isAtMost }: MaterialAge, days: number): Finding | null {
  const age = Math.floor((Date.now() - since.getTime()) / DAY_MS);
  if (age < days) return null;
  const rotations = isAtMost ? "; rotations since then may not be seen (kms:ListKeyRotations)" : "";
  return {
    what: `Cryptoperiod (${region})`,
    severity: "warning",
    detail: `the material of the key${whose} is ${age} days old, and is to be used for ${days}${rotations}`,
    remedy:
      "aws kms rotate-key-on-demand --key-id ARN, then strongroom keys apply --material current; " +
      "or another key: strongroom keys rotate.",
  };
}
