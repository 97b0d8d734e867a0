// Which keys rotate. Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".

import type { KeyRecord } from "../keys/key-record.ts";
import { unsupported } from "../protocol/aws-error.ts";

/** @throws AwsError UnsupportedOperationException unless the key is a symmetric encryption key. */
export function requireRotatableSpec(key: KeyRecord): void {
  if (key.spec !== "SYMMETRIC_DEFAULT") throw unsupported();
}

/**
 * @throws AwsError UnsupportedOperationException unless the key is a symmetric encryption key, and the primary of its
 *   kind.
 */
export function requireRotatable(key: KeyRecord): void {
  requireRotatableSpec(key);
  if (key.primaryRegion !== null && key.primaryRegion !== key.region)
    throw unsupported(`${key.arn} is not a multi-region primary key.`);
}

/** @throws AwsError UnsupportedOperationException for a key that this server cannot make new material for. */
export function requireAutomaticRotation(key: KeyRecord): void {
  requireRotatable(key);
  if (key.origin !== "AWS_KMS")
    throw unsupported(`${key.arn} origin is ${key.origin} which is not valid for this operation.`);
}
