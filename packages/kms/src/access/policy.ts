// Policy documents: parsed strictly once, so that evaluation meets only what it understands. Source: IAM User Guide,
// "Grammar of the IAM JSON policy language", as far as AWS KMS takes it (Principal, Action, Resource, Condition).

import { z } from "zod";
import type { Principal } from "../auth/principals.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { isConditionOperator } from "./condition-operators.ts";
import type { Condition, ConditionScope } from "./condition-operators.ts";

/** One statement, its lists always lists. */
export interface Statement extends ConditionScope {
  readonly sid: string | null;
  /** Null in an identity policy: the principal is whom the policy belongs to. */
  readonly principals: { readonly mode: "in" | "not-in"; readonly arns: readonly string[] } | null;
  readonly actions: { readonly mode: "in" | "not-in"; readonly patterns: readonly string[] };
  readonly resources: { readonly mode: "in" | "not-in"; readonly patterns: readonly string[] };
  readonly conditions: readonly Condition[];
}

/** A policy of a key, or of a principal. */
export type PolicyKind = "key" | "identity";

const oneOrMore = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((value) => (typeof value === "string" ? [value] : value));
const scalar = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const values = z.union([scalar.transform((value) => [value]), z.array(scalar)]);
const principal = z.union([
  z.literal("*").transform(() => ["*"]),
  z
    .strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional(), Federated: oneOrMore.optional() })
    // Nobody who calls here is a service or federated: such a name, be it a star, is nobody's.
    .transform((who) => who.AWS ?? []),
]);
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Principal: principal.optional(),
  NotPrincipal: principal.optional(),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), values)).optional(),
});
const document = z.strictObject({
  Version: z.enum(["2012-10-17", "2008-10-17"]).optional(),
  Id: z.string().optional(),
  // One statement may stand without its list. Not a union: that would hide where in a statement the mistake is.
  Statement: z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z.array(statement).min(1),
  ),
});

const malformed = (message: string): AwsError => new AwsError("MalformedPolicyDocumentException", message);

/** Reads a key policy's text. @throws AwsError MalformedPolicyDocumentException, saying where. */
export function parsePolicy(text: string): readonly Statement[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("The policy is not valid JSON.");
  }
  return readPolicy(value, "key");
}

/** Reads a policy that is JSON already. @throws AwsError MalformedPolicyDocumentException. */
export function readPolicy(value: unknown, kind: PolicyKind): readonly Statement[] {
  const read = document.safeParse(value);
  if (!read.success) {
    const problems = read.error.issues.map((issue) => `${issue.path.join(".") || "policy"}: ${issue.message}`);
    throw malformed(problems.slice(0, 5).join("; "));
  }
  const variables = read.data.Version === "2012-10-17";
  return read.data.Statement.map((written, index) => statementOf(written, index, { kind, variables }));
}

function statementOf(
  written: z.infer<typeof statement>,
  index: number,
  { kind, variables }: { readonly kind: PolicyKind; readonly variables: boolean },
): Statement {
  const at = `Statement.${index}`;
  const either = (
    name: "Action" | "Resource" | "Principal",
  ): { mode: "in" | "not-in"; list: readonly string[] } | null => {
    const [named, excluded] = [written[name], written[`Not${name}`]];
    if (named !== undefined && excluded !== undefined) throw malformed(`${at}: has both ${name} and Not${name}.`);
    if (named !== undefined) return { mode: "in", list: named };
    return excluded === undefined ? null : { mode: "not-in", list: excluded };
  };
  const principals = either("Principal");
  if ((principals === null) !== (kind === "identity")) {
    throw malformed(kind === "key" ? `${at}: needs a Principal.` : `${at}: an identity policy has no Principal.`);
  }
  const [actions, resources] = [either("Action"), either("Resource")];
  if (actions === null) throw malformed(`${at}: needs an Action.`);
  if (resources === null) throw malformed(`${at}: needs a Resource.`);
  const conditions = Object.entries(written.Condition ?? {}).flatMap(([operator, keys]) => {
    if (!isConditionOperator(operator)) throw malformed(`${at}: the condition operator ${operator} is not known.`);
    return Object.entries(keys).map(([key, wanted]) => ({ operator, key: key.toLowerCase(), values: wanted }));
  });
  return {
    sid: written.Sid ?? null,
    effect: written.Effect,
    variables,
    principals: principals === null ? null : { mode: principals.mode, arns: principals.list },
    actions: { mode: actions.mode, patterns: actions.list },
    resources: { mode: resources.mode, patterns: resources.list },
    conditions,
  };
}

/**
 * The key policy of a key that was made without one: it leaves it to the account, and so to its identity policies, who
 * may use the key. Source: AWS KMS Developer Guide, "Default key policy".
 */
export function defaultKeyPolicy(account: string): string {
  const policy = {
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  };
  return JSON.stringify(policy, null, 2);
}

/** Parsed policies, kept as long as the record or principal that they belong to. */
const keyPolicies = new WeakMap<KeyRecord, readonly Statement[]>();
const identityPolicies = new WeakMap<Principal, readonly Statement[]>();

/** The statements of a key's policy. @throws AwsError MalformedPolicyDocumentException. */
export function policyOf(key: KeyRecord): readonly Statement[] {
  let statements = keyPolicies.get(key);
  if (statements === undefined) keyPolicies.set(key, (statements = parsePolicy(key.policy)));
  return statements;
}

/** The statements of all identity policies of a principal. @throws AwsError MalformedPolicyDocumentException. */
export function identityPoliciesOf(principal: Principal): readonly Statement[] {
  let statements = identityPolicies.get(principal);
  if (statements === undefined) {
    statements = principal.policies.flatMap((policy) => readPolicy(policy, "identity"));
    identityPolicies.set(principal, statements);
  }
  return statements;
}
