/**
 * Names of raw keys (framework/keyring-interface.md, "key namespace", "key name", "key provider ID").
 */
import { EnvelopeError } from "../errors/envelope-error.ts";

const RESERVED_NAMESPACE = "aws-kms";

export interface KeyNames {
  readonly keyNamespace: string;
  readonly keyName: string;
}

/** What is wrong with empty or ill-formed names and with the namespace of AWS KMS. */
export function keyNameProblems({ keyNamespace, keyName }: KeyNames): readonly string[] {
  const problems: string[] = [];
  for (const [option, value] of Object.entries({ keyNamespace, keyName })) {
    if (typeof (value as unknown) !== "string" || value === "" || !value.isWellFormed())
      problems.push(`${option} must be a non-empty string`);
  }
  if (typeof (keyNamespace as unknown) === "string" && keyNamespace.startsWith(RESERVED_NAMESPACE)) {
    problems.push(`keyNamespace must not begin with ${RESERVED_NAMESPACE}: that is for keys in AWS KMS`);
  }
  return problems;
}

/** @throws EnvelopeError `option-invalid` */
export function requireKeyNames(names: KeyNames): void {
  const problems = keyNameProblems(names);
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
}
