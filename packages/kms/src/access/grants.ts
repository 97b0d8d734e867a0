// Grants: whom they allow what. Source: AWS KMS Developer Guide, "Grants in AWS KMS".

import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { GrantRecord } from "../keys/key-record.ts";

/** Every operation that a grant can allow, in AWS's enumeration. */
export const GRANT_OPERATIONS = [
  "CreateGrant",
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "DescribeKey",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "GetPublicKey",
  "ReEncryptFrom",
  "ReEncryptTo",
  "RetireGrant",
  "Sign",
  "Verify",
  "VerifyMac",
] as const;

/** Operations without an encryption context: a grant's constraint on the context does not touch them. */
const WITHOUT_CONTEXT: ReadonlySet<string> = new Set(["DescribeKey", "RetireGrant", "CreateGrant", "GetPublicKey"]);

/** Whether a grant allows what is asked. */
export function grantAllows(
  grant: GrantRecord,
  request: {
    readonly principal: { readonly arn: string };
    readonly action: string;
    readonly context: EncryptionContext;
  },
): boolean {
  const operation = request.action.replace(/^kms:/, "");
  if (grant.grantee !== request.principal.arn || !grant.operations.includes(operation)) return false;
  if (WITHOUT_CONTEXT.has(operation)) return true;
  const { subset, equals } = grant.constraints;
  const has = (pairs: EncryptionContext): boolean =>
    Object.entries(pairs).every(
      ([key, value]) => Object.hasOwn(request.context, key) && request.context[key] === value,
    );
  if (subset !== undefined && !has(subset)) return false;
  return equals === undefined || (has(equals) && Object.keys(equals).length === Object.keys(request.context).length);
}
