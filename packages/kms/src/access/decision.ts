// The decision on a request. Source: AWS KMS Developer Guide, "Determining access to AWS KMS keys" and "Grants in
// AWS KMS", and IAM User Guide, "Policy evaluation logic": default deny, an explicit deny wins, and a key policy that
// allows the account only hands the question on to the account's identity policies.

import type { Principal } from "../auth/principals.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { GrantRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { holds, like } from "./condition-operators.ts";
import type { Facts } from "./condition-operators.ts";
import type { Statement } from "./policy.ts";

/** What is to be decided. */
export interface Question {
  readonly principal: Principal;
  /** `kms:Encrypt` and its like. */
  readonly action: string;
  /** ARN of the key; `*` for what is about no key. */
  readonly resource: string;
  /** Null for what is about no key. */
  readonly keyPolicy: readonly Statement[] | null;
  readonly identityPolicies: readonly Statement[];
  /** Grants on the key. */
  readonly grants: readonly GrantRecord[];
  readonly context: EncryptionContext;
  /** What conditions ask about; made only if one asks. */
  readonly facts: () => Facts;
}

/** The answer, and what it rests on. */
export type Decision =
  | {
      readonly kind: "allow";
      readonly by: "key-policy" | "identity-policy" | "grant" | "account-root";
      readonly sid: string | null;
    }
  | {
      readonly kind: "deny";
      readonly by: "explicit-deny-in-key-policy" | "explicit-deny-in-identity-policy" | "nothing-allows";
      readonly sid: string | null;
    };

/** Decides. */
export function decide(question: Question): Decision {
  const { principal, keyPolicy } = question;
  const fitting = (statements: readonly Statement[]): readonly Statement[] =>
    statements.filter((statement) => applies(statement, question));
  const identity = fitting(question.identityPolicies);
  const ofKey = fitting(keyPolicy ?? []);

  const deniedByKey = ofKey.find(
    (statement) => statement.effect === "Deny" && namesPrincipal(statement, principal) !== "no",
  );
  if (deniedByKey !== undefined) return { kind: "deny", by: "explicit-deny-in-key-policy", sid: deniedByKey.sid };
  const deniedByIdentity = identity.find((statement) => statement.effect === "Deny");
  if (deniedByIdentity !== undefined)
    return { kind: "deny", by: "explicit-deny-in-identity-policy", sid: deniedByIdentity.sid };

  const allowedByKey = ofKey.find(
    (statement) => statement.effect === "Allow" && namesPrincipal(statement, principal) === "directly",
  );
  if (allowedByKey !== undefined) return { kind: "allow", by: "key-policy", sid: allowedByKey.sid };
  const delegated =
    keyPolicy === null ||
    ofKey.some(
      (statement) => statement.effect === "Allow" && namesPrincipal(statement, principal) === "through-account",
    );
  if (keyPolicy === null && principal.kind === "root") return { kind: "allow", by: "account-root", sid: null };
  const allowedByIdentity = identity.find((statement) => statement.effect === "Allow");
  if (delegated && allowedByIdentity !== undefined)
    return { kind: "allow", by: "identity-policy", sid: allowedByIdentity.sid };
  const grant = question.grants.find((candidate) => grantAllows(candidate, question));
  if (grant !== undefined) return { kind: "allow", by: "grant", sid: grant.grantId };
  return { kind: "deny", by: "nothing-allows", sid: null };
}

const applies = (statement: Statement, question: Question): boolean => mismatchOf(statement, question) === null;

/** Why action, resource or conditions of a statement do not fit; null if they do. */
export function mismatchOf(statement: Statement, { action, resource, facts }: Question): string | null {
  const fits = ({ mode, patterns }: { mode: "in" | "not-in"; patterns: readonly string[] }, text: string): boolean =>
    patterns.some((pattern) => like(text, pattern)) === (mode === "in");
  const actions = {
    mode: statement.actions.mode,
    patterns: statement.actions.patterns.map((pattern) => pattern.toLowerCase()),
  };
  if (!fits(actions, action.toLowerCase())) return "it is about other actions";
  if (!fits(statement.resources, resource)) return "it is about other resources";
  const failing = statement.conditions.find((condition) => !holds(condition, facts()));
  return failing === undefined ? null : `its condition ${failing.operator} on ${failing.key} does not hold`;
}

/** How a key policy's statement names a principal. */
export function namesPrincipal({ principals }: Statement, principal: Principal): "directly" | "through-account" | "no" {
  if (principals === null) return "no";
  const account = [principal.account, `arn:aws:iam::${principal.account}:root`];
  const direct = principals.arns.some(
    (arn) => arn === "*" || arn === principal.arn || (principal.kind === "root" && account.includes(arn)),
  );
  const through = principals.arns.some((arn) => account.includes(arn));
  if (principals.mode === "not-in") return direct || through ? "no" : "directly";
  if (direct) return "directly";
  return through ? "through-account" : "no";
}

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
function grantAllows(
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

const REASONS: Readonly<Record<(Decision & { kind: "deny" })["by"], string>> = {
  "explicit-deny-in-key-policy": "with an explicit deny in a resource-based policy",
  "explicit-deny-in-identity-policy": "with an explicit deny in an identity-based policy",
  "nothing-allows": "because no identity-based policy, resource-based policy or grant allows it",
};

/** @throws AwsError AccessDeniedException, in AWS's words, if the decision is no. */
export function authorize(question: Question): void {
  const decision = decide(question);
  if (decision.kind === "allow") return;
  const on = question.keyPolicy === null ? "" : ` on resource: ${question.resource}`;
  throw new AwsError(
    "AccessDeniedException",
    `User: ${question.principal.arn} is not authorized to perform: ${question.action}${on} ${REASONS[decision.by]}`,
  );
}
