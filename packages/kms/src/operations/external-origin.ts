// The rule that only keys made for imported material take it.

import type { KeyRecord } from "../keys/key-record.ts";
import { unsupported } from "../protocol/aws-error.ts";

/** @throws AwsError UnsupportedOperationException. */
export function requireExternal(key: KeyRecord): void {
  if (key.origin !== "EXTERNAL")
    throw unsupported(`${key.arn} origin is ${key.origin} which is not valid for this operation.`);
}
