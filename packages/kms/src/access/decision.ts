// The decision on a request. Source: AWS KMS Developer Guide, "Determining access to AWS KMS keys" and "Grants in
// AWS KMS", and IAM User Guide, "Policy evaluation logic": default deny, an explicit deny wins, and a key policy that
// allows the account only hands the question on to the account's identity policies.

import { rootArn } from "../auth/principal-arn.ts";
import type { Principal } from "../auth/principals.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { GrantRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { holds } from "./condition-operators.ts";
import type { Facts } from "./facts.ts";
import { includes, samePairs } from "./grant-constraints.ts";
import { like, resolved } from "./patterns.ts";
import type { Statement } from "./policy.ts";

/** What is to be decided. */
export interface Question {
  readonly principal: Principal;
  /** The account that the key is in, or in which something is asked for. */
  readonly account: string;
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

  const fitsKey = (named: "directly" | "through-account"): Statement | undefined =>
    ofKey.find((statement) => statement.effect === "Allow" && namesPrincipal(statement, principal) === named);
  const byIdentity = identity.find((statement) => statement.effect === "Allow");
  const allowed =
    principal.account === question.account
      ? allowedInAccount(question, fitsKey, byIdentity)
      : allowedAcross(question, fitsKey("directly") ?? fitsKey("through-account"), byIdentity);
  if (allowed !== null) return allowed;
  const grant = question.grants.find((candidate) => grantAllows(candidate, question));
  if (grant !== undefined) return { kind: "allow", by: "grant", sid: grant.grantId };
  return { kind: "deny", by: "nothing-allows", sid: null };
}

/** By the key policy, or by the account's identity policies if the key policy hands over or there is none. */
function allowedInAccount(
  { principal, keyPolicy }: Question,
  fitsKey: (named: "directly" | "through-account") => Statement | undefined,
  byIdentity: Statement | undefined,
): Decision | null {
  const byKey = fitsKey("directly");
  if (byKey !== undefined) return { kind: "allow", by: "key-policy", sid: byKey.sid };
  if (keyPolicy === null && principal.kind === "root") return { kind: "allow", by: "account-root", sid: null };
  const delegated = keyPolicy === null || fitsKey("through-account") !== undefined;
  return delegated && byIdentity !== undefined ? { kind: "allow", by: "identity-policy", sid: byIdentity.sid } : null;
}

/**
 * A principal of another account needs the key policy and a policy of its own; its account's root has no need of one.
 * Source: AWS KMS Developer Guide, "Allowing users in other accounts to use a KMS key".
 */
function allowedAcross(
  { principal }: Question,
  byKey: Statement | undefined,
  byIdentity: Statement | undefined,
): Decision | null {
  if (byKey === undefined || (principal.kind !== "root" && byIdentity === undefined)) return null;
  return { kind: "allow", by: "key-policy", sid: byKey.sid };
}

const applies = (statement: Statement, question: Question): boolean => mismatchOf(statement, question) === null;

/** Why action, resource or conditions of a statement do not fit; null if they do. */
export function mismatchOf(statement: Statement, { action, resource, facts }: Question): string | null {
  const { actions, resources } = statement;
  const named = actions.patterns.some((pattern) => like(action.toLowerCase(), pattern.toLowerCase()));
  if (named !== (actions.mode === "in")) return "it is about other actions";
  const covered = resources.patterns.some((pattern) => coversResource(pattern, statement, resource, facts));
  if (covered !== (resources.mode === "in")) return "it is about other resources";
  const failing = statement.conditions.find((condition) => !holds(condition, facts(), statement));
  return failing === undefined ? null : `its condition ${failing.operator} on ${failing.key} does not hold`;
}

/** IAM User Guide, "IAM JSON policy elements: Resource": an identity policy's ARN may break off, the rest is a star. */
function coversResource(
  written: string,
  { principals, variables, effect, resources }: Statement,
  resource: string,
  facts: () => Facts,
): boolean {
  const missing = principals === null && written.startsWith("arn:") ? Math.max(0, 6 - written.split(":").length) : 0;
  const whole = written + ":*".repeat(missing);
  const pattern = variables && whole.includes("${") ? resolved(whole, facts()) : whole;
  // What a variable without a value leaves open must not be allowed by a NotResource.
  return pattern === null ? effect === "Allow" && resources.mode === "not-in" : like(resource, pattern);
}

/** How a key policy's statement names a principal. */
export function namesPrincipal(
  { principals, effect }: Statement,
  principal: Principal,
): "directly" | "through-account" | "no" {
  if (principals === null) return "no";
  const account = [principal.account, rootArn(principal.account)];
  const through = principals.arns.some((arn) => account.includes(arn));
  const direct = principals.arns.some(
    (arn) => arn === "*" || arn === principal.arn || (principal.kind === "root" && account.includes(arn)),
  );
  if (principals.mode === "in") return direct ? "directly" : through ? "through-account" : "no";
  // Source: IAM User Guide, "IAM JSON policy elements: NotPrincipal": a Deny spares who is named together with its
  // account, and nobody else of that account. An Allow is not meant to be written so, and is read narrowly.
  const spared = effect === "Deny" ? direct && (through || principals.arns.includes("*")) : direct || through;
  return spared ? "no" : "directly";
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
  const { subset, equals, sourceArn } = grant.constraints;
  // Such a grant is for calls on behalf of a resource of AWS, and no service calls here.
  if (sourceArn !== undefined) return false;
  if (WITHOUT_CONTEXT.has(operation)) return true;
  if (subset !== undefined && !includes(request.context, subset)) return false;
  return equals === undefined || samePairs(request.context, equals);
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
