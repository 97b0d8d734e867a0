/**
 * AWS KMS key ARNs (framework/aws-kms/aws-kms-key-arn.md).
 */

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
 * Whether both are the same multi-Region key in two regions (framework/aws-kms/aws-kms-mrk-match-for-decrypt.md): everything
 * but the region is equal.
 */
export function isReplicaOf(key: KeyArn, other: KeyArn): boolean {
  return key.multiRegion && key.keyId === other.keyId && key.account === other.account && key.partition === other.partition;
}
