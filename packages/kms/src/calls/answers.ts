// What answers of several operations show: a page of a list, a key, a grant.

import { keyArn } from "../keys/key-arn.ts";
import { currentBackingKey } from "../keys/key-record.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { stateOf } from "../keys/key-rules.ts";
import { algorithmsOf } from "../keys/key-spec.ts";
import type { KeyUsage } from "../keys/key-spec.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { seconds } from "../protocol/exchange.ts";
import type { Json } from "../protocol/shape.ts";

/** Aliases and grants come at most so many at a time, whatever Limit says. */
export const MAX_PAGE = 100;

/** One page: NextMarker is there exactly if Truncated is true. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

/**
 * The page after `marker` of the items in the order of their ids. A marker names the last item shown, so items that
 * come or go between two pages shift nothing.
 * @throws AwsError InvalidMarkerException for a marker that this server did not make.
 */
export function pageOf<T>(
  items: Iterable<T>,
  idOf: (item: T) => string,
  limit: number,
  marker: string | undefined,
): Page<T> {
  const after = marker === undefined ? null : decode(marker);
  const sorted = [...items].map((item) => ({ id: idOf(item), item })).filter(({ id }) => after === null || id > after);
  sorted.sort((a, b) => (a.id < b.id ? -1 : 1));
  const shown = sorted.slice(0, limit);
  const last = shown.at(-1);
  const page = { items: shown.map(({ item }) => item), Truncated: sorted.length > shown.length };
  return page.Truncated && last !== undefined ? { ...page, NextMarker: encode(last.id) } : page;
}

const PREFIX = "after:";
const encode = (id: string): string => Buffer.from(PREFIX + id, "utf8").toString("base64url");

function decode(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith(PREFIX) || encode(text.slice(PREFIX.length)) !== marker) {
    throw new AwsError("InvalidMarkerException", "The marker is not one that a former answer gave.");
  }
  return text.slice(PREFIX.length);
}

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
 * KeyMetadata of `key` (KMS API Reference), as DescribeKey, CreateKey and ReplicateKey show it. `related` are the key's
 * records in all regions (itself included) when it is a multi-Region key; they make the MultiRegionConfiguration.
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
    KeyManager: key.manager ?? "CUSTOMER",
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...algorithmLists(key),
    MultiRegion: key.primaryRegion !== null,
    ...(key.primaryRegion !== null && { MultiRegionConfiguration: multiRegionConfiguration(key, related) }),
    // AWS shows the material's id for symmetric encryption keys only: they are the ones that rotate.
    ...(key.spec === "SYMMETRIC_DEFAULT" && current !== null && { CurrentKeyMaterialId: current.id }),
  };
}

function multiRegionConfiguration(key: KeyRecord, related: readonly KeyRecord[]): Json {
  const show = (record: KeyRecord): Json => ({ Arn: record.arn, Region: record.region });
  const primary = related.find((record) => record.region === key.primaryRegion) ?? key;
  return {
    MultiRegionKeyType: key.region === key.primaryRegion ? "PRIMARY" : "REPLICA",
    PrimaryKey: show(primary),
    ReplicaKeys: related.filter((record) => record.region !== key.primaryRegion).map(show),
  };
}

/** A service is named by a host name, everyone else by an ARN. */
const kindOf = (principal: string): string => (principal.startsWith("arn:") ? "Principal" : "ServicePrincipal");

/** GrantListEntry: KMS API Reference. A grant's token is a credential and is never shown again. */
export function grantEntry(grant: GrantRecord, account: string): Json {
  const { subset, equals, sourceArn } = grant.constraints;
  return {
    KeyId: keyArn(grant.region, account, grant.keyId),
    GrantId: grant.grantId,
    Name: grant.name ?? "",
    CreationDate: seconds(grant.createdAt),
    [`Grantee${kindOf(grant.grantee)}`]: grant.grantee,
    ...(grant.retiring !== null && { [`Retiring${kindOf(grant.retiring)}`]: grant.retiring }),
    IssuingAccount: grant.issuingAccount,
    Operations: grant.operations,
    ...(Object.keys(grant.constraints).length > 0 && {
      Constraints: {
        ...(subset && { EncryptionContextSubset: subset }),
        ...(equals && { EncryptionContextEquals: equals }),
        ...(sourceArn !== undefined && { SourceArn: sourceArn }),
      },
    }),
  };
}
