/**
 * Names of raw keys (framework/keyring-interface.md, "key namespace", "key name", "key provider ID").
 */
import { EnvelopeError } from "../errors/envelope-error.ts";

const RESERVED_NAMESPACE = "aws-kms";

export interface KeyNames {
  readonly keyNamespace: string;
  readonly keyName: string;
}

/** @throws EnvelopeError `option-invalid` for empty or ill-formed names and for the namespace of AWS KMS. */
export function requireKeyNames({ keyNamespace, keyName }: KeyNames): void {
  for (const [option, value] of Object.entries({ keyNamespace, keyName })) {
    if (typeof (value as unknown) !== "string" || value === "" || !value.isWellFormed()) {
      throw new EnvelopeError("option-invalid", `${option} must be a non-empty string`);
    }
  }
  if (keyNamespace.startsWith(RESERVED_NAMESPACE)) {
    throw new EnvelopeError("option-invalid", `keyNamespace must not begin with ${RESERVED_NAMESPACE}: that is for keys in AWS KMS`);
  }
}
