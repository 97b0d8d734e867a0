// The check of a key policy before it is put on a key, for CreateKey, ReplicateKey and PutKeyPolicy. Source: AWS KMS
// Developer Guide, "Default key policy", on the lockout safety check.

import { policyOf } from "../access/authorize.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import type { Call } from "./call.ts";

/**
 * Whoever sets a policy must be able to change it afterwards, or the key could be managed by nobody.
 * @throws AwsError MalformedPolicyDocumentException.
 */
export function requireSafePolicy(call: Call, key: KeyRecord, safetyCheck: "check" | "bypass"): void {
  policyOf(key);
  if (safetyCheck === "bypass") return;
  try {
    call.permit(key, "kms:PutKeyPolicy");
  } catch (error) {
    if (!(error instanceof AwsError) || error.type !== "AccessDeniedException") throw error;
    throw new AwsError(
      "MalformedPolicyDocumentException",
      "The new key policy will not allow you to update the key policy in the future.",
    );
  }
}
