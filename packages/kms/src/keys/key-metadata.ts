// A key as DescribeKey, CreateKey and ReplicateKey show it. Source: KMS API Reference, KeyMetadata.

import type { Json } from "../protocol/shape.ts";
import { seconds } from "../protocol/seconds.ts";
import { currentBackingKey } from "./key-record.ts";
import type { KeyRecord } from "./key-record.ts";
import { algorithmsOf } from "./key-spec.ts";
import type { KeyUsage } from "./key-spec.ts";
import { stateOf } from "./key-state.ts";

/** The member that lists a usage's algorithms. */
const ALGORITHMS_MEMBER: Readonly<Record<KeyUsage, string>> = {
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  SIGN_VERIFY: "SigningAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
};

/** `{ EncryptionAlgorithms: [...] }` and its like for the key's usage. */
export const algorithmLists = (key: Pick<KeyRecord, "spec" | "usage">): Record<string, Json> => ({
  [ALGORITHMS_MEMBER[key.usage]]: algorithmsOf(key.spec, key.usage),
});

/**
 * KeyMetadata of `key`. `related` are the key's records in all regions (itself included) when it is a
 * multi-Region key; they make the MultiRegionConfiguration.
 */
export function keyMetadata(key: KeyRecord, account: string, related: readonly KeyRecord[]): Record<string, Json> {
  const state = stateOf(key);
  const current = currentBackingKey(key);
  const imported = key.origin === "EXTERNAL" && state !== "PendingImport" ? current?.imported : undefined;
  return {
    AWSAccountId: account,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: state === "Enabled",
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: state,
    ...(key.deletion !== null && !key.deletion.waitsForReplicas && { DeletionDate: seconds(key.deletion.at) }),
    ...(key.deletion?.waitsForReplicas === true && { PendingDeletionWindowInDays: key.deletion.windowDays }),
    ...(imported && {
      ExpirationModel: imported.validTo === null ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES",
      ...(imported.validTo !== null && { ValidTo: seconds(imported.validTo) }),
    }),
    Origin: key.origin,
    KeyManager: "CUSTOMER",
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...algorithmLists(key),
    MultiRegion: key.primaryRegion !== null,
    ...(key.primaryRegion !== null && { MultiRegionConfiguration: multiRegionConfiguration(key, related) }),
    // AWS shows the material's id for symmetric encryption keys only: they are the ones that rotate.
    ...(key.spec === "SYMMETRIC_DEFAULT" &&
      current !== null &&
      state !== "PendingImport" && { CurrentKeyMaterialId: current.id }),
  };
}

function multiRegionConfiguration(key: KeyRecord, related: readonly KeyRecord[]): Json {
  const show = (one: KeyRecord): Json => ({ Arn: one.arn, Region: one.region });
  const primary = related.find((one) => one.region === key.primaryRegion) ?? key;
  return {
    MultiRegionKeyType: key.region === key.primaryRegion ? "PRIMARY" : "REPLICA",
    PrimaryKey: show(primary),
    ReplicaKeys: related.filter((one) => one.region !== key.primaryRegion).map(show),
  };
}
