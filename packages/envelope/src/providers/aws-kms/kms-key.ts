/**
 * AWS KMS key ARNs (framework/aws-kms/aws-kms-key-arn.md).
 */
import { EnvelopeError } from "../../errors.ts";
import type { EncryptedDataKey } from "../../format/header.ts";

export interface KeyArn {
  readonly arn: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly keyId: string;
  /** Whether the id is one of a multi-Region key: the same id names its replicas in other regions. */
  readonly multiRegion: boolean;
}

const KEY_ARN = /^arn:([a-z0-9-]+):kms:([a-z0-9-]+):([0-9]+):key\/([A-Za-z0-9-]+)$/;

/** null for anything that is not the ARN of a *key*: aliases too. */
export function parseKeyArn(arn: string): KeyArn | null {
  const match = KEY_ARN.exec(arn);
  if (match === null) return null;
  const [, partition = "", region = "", account = "", keyId = ""] = match;
  return { arn, partition, region, account, keyId, multiRegion: keyId.startsWith("mrk-") };
}

/**
 * Whether both are the same multi-Region key in two regions (framework/aws-kms/aws-kms-mrk-match-for-decrypt.md):
 * everything but the region is equal.
 */
export function isReplicaOf(key: KeyArn, other: KeyArn): boolean {
  return (
    key.multiRegion && key.keyId === other.keyId && key.account === other.account && key.partition === other.partition
  );
}

/**
 * The replica of a multi-Region key in another region (framework/aws-kms/aws-kms-mrk-discovery-keyring.md,
 * "OnDecrypt").
 */
export function inRegion(key: KeyArn, region: string): KeyArn {
  return { ...key, region, arn: `arn:${key.partition}:kms:${region}:${key.account}:key/${key.keyId}` };
}

/**
 * The key that an encrypted data key of an AWS KMS keyring names.
 *
 * @throws EnvelopeError `message-malformed` when it names anything else: no writer may do that.
 */
export function requireKeyArn({ providerId, providerInfo }: EncryptedDataKey): KeyArn {
  const arn = parseKeyArn(Buffer.from(providerInfo).toString("utf8"));
  if (arn === null)
    throw new EnvelopeError(
      "message-malformed",
      `An encrypted data key of provider ${providerId} does not name the ARN of a key`,
    );
  return arn;
}
