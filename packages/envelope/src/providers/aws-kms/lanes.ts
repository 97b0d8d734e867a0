/**
 * Matches a message's encrypted data keys with the configured keys. What a message names is matched, never obeyed: only
 * configured ARNs are ever called.
 */
import type { EncryptedDataKey } from "../../format/header.ts";
import { isReplicaOf, parseKeyArn } from "./kms-key.ts";
import type { RegionCaller } from "../../multi-region/region.ts";
import type { Lane } from "../../multi-region/read.ts";
import { PROVIDER_ID } from "../../multi-region/write.ts";

/**
 * The ways to open a message, in the order to try them: each region once, in its order, then the regions that have more
 * than one encrypted data key. A region's own comes before those of its key's replicas (aws-kms-mrk-keyring.md,
 * "OnDecrypt").
 */
export function lanesOf(
  callers: readonly RegionCaller[],
  encryptedDataKeys: readonly EncryptedDataKey[],
): readonly Lane[] {
  const named = encryptedDataKeys
    .filter(({ providerId }) => providerId === PROVIDER_ID)
    .map((key) => ({ key, arn: Buffer.from(key.providerInfo).toString("utf8") }));
  const byCaller = callers.map((caller) => {
    const own = named.filter(({ arn }) => arn === caller.keyArn);
    const replicas = caller.key.multiRegion
      ? named.filter(({ arn }) => arn !== caller.keyArn && isReplica(caller, arn))
      : [];
    return [...own, ...replicas].map(({ key }): Lane => ({ caller, key }));
  });
  const rounds = Math.max(0, ...byCaller.map((lanes) => lanes.length));
  return Array.from({ length: rounds }, (_, round) => byCaller.flatMap((lanes) => lanes[round] ?? [])).flat();
}

function isReplica(caller: RegionCaller, arn: string): boolean {
  const key = parseKeyArn(arn);
  return key !== null && isReplicaOf(caller.key, key);
}
