// The rules that CreateAlias and UpdateAlias share. Source: AWS KMS Developer Guide, "Aliases".

import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError, validationError } from "../protocol/aws-error.ts";
import type { Call } from "./call.ts";

/** @throws AwsError for a name that is not a customer's alias. */
export function requireAliasName(name: string): void {
  if (!name.startsWith("alias/") || name === "alias/") {
    throw validationError(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith("alias/aws/")) throw new AwsError("NotAuthorizedException", "");
}

/** The key that an alias is to name. Permission is asked on the alias and on the key. */
export function aliasTarget(call: Call, reference: string, operation: "CreateAlias" | "UpdateAlias"): KeyRecord {
  if (/(?:^|:)alias\//.test(reference)) throw validationError("Aliases must refer to keys. Not aliases");
  return call.useKeyById(reference, { operation });
}
