// Policy documents: parsed strictly once, so that evaluation meets only what it understands. Source: IAM User Guide,
// "Grammar of the IAM JSON policy language", as far as AWS KMS takes it (Principal, Action, Resource, Condition).

import { rootArn } from "../auth/principal-arn.ts";
import { z } from "zod";
import type { Principal } from "../auth/principals.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { isConditionOperator } from "./condition-operators.ts";
import type { Condition, ConditionScope } from "./condition-operators.ts";
import { duplicateMember } from "./duplicate-member.ts";
import { isPrincipal } from "./principal-form.ts";
import type { PrincipalKind } from "./principal-form.ts";

/** A principal as a statement names it. */
interface NamedPrincipal {
  readonly kind: PrincipalKind;
  readonly name: string;
}

/** One statement, its lists always lists. */
export interface Statement extends ConditionScope {
  readonly sid: string | null;
  /** Null in an identity policy: the principal is whom the policy belongs to. */
  readonly principals: {
    readonly mode: "in" | "not-in";
    /** Accounts, ARNs and `*`. */
    readonly arns: readonly string[];
    /** Everyone named, as written. */
    readonly named: readonly NamedPrincipal[];
  } | null;
  readonly actions: { readonly mode: "in" | "not-in"; readonly patterns: readonly string[] };
  readonly resources: { readonly mode: "in" | "not-in"; readonly patterns: readonly string[] };
  readonly conditions: readonly Condition[];
}

/** A policy of a key, or of a principal. */
export type PolicyKind = "key" | "identity";

const oneOrMore = z
  .union([z.string(), z.array(z.string()).min(1)], "must be a string, or a list of strings")
  .transform((value) => (typeof value === "string" ? [value] : value));
const scalar = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const values = z.union([scalar.transform((value) => [value]), z.array(scalar)], "must be a value, or a list of values");

/** As z.record, which drops `__proto__` in silence: a statement would count without that condition. */
const named = <T extends z.ZodType>(value: T, words: string) =>
  z.preprocess(
    (written, context) => {
      if (typeof written === "object" && written !== null && Object.hasOwn(written, "__proto__"))
        context.addIssue("has __proto__, which no policy has");
      return written;
    },
    z.record(z.string(), value, words),
  );
const principal = z
  .union(
    [
      z.literal("*").transform(() => ({ AWS: ["*"] })),
      z.strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional(), Federated: oneOrMore.optional() }),
    ],
    'must be "*", or say AWS, Service or Federated',
  )
  .transform((who): readonly NamedPrincipal[] =>
    Object.entries(who).flatMap(([kind, names]) =>
      (names ?? []).map((name: string) => ({ kind: kind as PrincipalKind, name })),
    ),
  );
const statement = z.strictObject({
  Sid: z.string("must be a string").optional(),
  Effect: z.enum(["Allow", "Deny"], "must be Allow or Deny"),
  Principal: principal.optional(),
  NotPrincipal: principal.optional(),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Condition: named(named(values, "must be condition keys"), "must be condition operators").optional(),
});
const document = z.strictObject({
  Version: z.enum(["2012-10-17", "2008-10-17"], "must be 2012-10-17 or 2008-10-17").optional(),
  Id: z.string("must be a string").optional(),
  // One statement may stand without its list. Not a union: that would hide where in a statement the mistake is.
  Statement: z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z.array(statement, "is needed: one statement or more").min(1, "must have a statement"),
  ),
});

/** AWS does not say what is wrong with the form of a policy; whoever runs this server is told where it is. */
const malformed = (detail: string): AwsError => new AwsError("MalformedPolicyDocumentException", "", { detail });

/** Longest key policy in bytes. Source: AWS KMS Developer Guide, "Quotas". */
const MAX_POLICY = 32_768;

/**
 * Checks a key policy before it is put on a key: its length, its form, and that whom it names could be there. What lies
 * in the database already is read by `parsePolicy` alone.
 * @throws AwsError LimitExceededException, MalformedPolicyDocumentException.
 */
export function requireNewPolicy(text: string): void {
  if (Buffer.byteLength(text) > MAX_POLICY)
    throw new AwsError("LimitExceededException", `Key policy size exceeds the limit of ${MAX_POLICY} bytes.`);
  const statements = parsePolicy(text);
  const twice = duplicateMember(text);
  if (twice !== null) throw malformed(`${JSON.stringify(twice.slice(0, 256))} stands twice in one object`);
  for (const { principals } of statements) {
    const who = principals?.named ?? [];
    const wrong = who.find(({ kind, name }) => !isPrincipal(kind, name));
    if (who.length > 0 && wrong === undefined) continue;
    throw new AwsError(
      "MalformedPolicyDocumentException",
      "Policy contains a statement with one or more invalid principals.",
      wrong && { detail: `${wrong.kind} ${JSON.stringify(wrong.name.slice(0, 256))} is no principal` },
    );
  }
}

/** Reads a key policy's text. @throws AwsError MalformedPolicyDocumentException. */
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
    const problems = read.error.issues.map((issue) => `${issue.path.join(".") || "the policy"} ${wordsOf(issue)}`);
    throw malformed(problems.slice(0, 5).join("; "));
  }
  const variables = read.data.Version === "2012-10-17";
  return read.data.Statement.map((written, index) => statementOf(written, index, { kind, variables }));
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `has ${issue.keys.join(", ").slice(0, 256)}, which no policy has`;
  return issue.code === "invalid_type" && issue.expected === "object" ? "must be an object" : issue.message;
}

function statementOf(
  written: z.infer<typeof statement>,
  index: number,
  { kind, variables }: { readonly kind: PolicyKind; readonly variables: boolean },
): Statement {
  const at = `Statement.${index}`;
  const either = <T>(
    name: "Action" | "Resource" | "Principal",
    named: readonly T[] | undefined,
    excluded: readonly T[] | undefined,
  ): { mode: "in" | "not-in"; list: readonly T[] } | null => {
    if (named !== undefined && excluded !== undefined) throw malformed(`${at}: has both ${name} and Not${name}.`);
    if (named !== undefined) return { mode: "in", list: named };
    return excluded === undefined ? null : { mode: "not-in", list: excluded };
  };
  const principals = either("Principal", written.Principal, written.NotPrincipal);
  if ((principals === null) !== (kind === "identity")) {
    throw malformed(kind === "key" ? `${at}: needs a Principal.` : `${at}: an identity policy has no Principal.`);
  }
  const actions = either("Action", written.Action, written.NotAction);
  const resources = either("Resource", written.Resource, written.NotResource);
  // AWS KMS takes a key policy's statement without them, and it says nothing (API_PutKeyPolicy, on Policy).
  if (kind === "identity" && actions === null) throw malformed(`${at}: needs an Action.`);
  if (kind === "identity" && resources === null) throw malformed(`${at}: needs a Resource.`);
  const conditions = Object.entries(written.Condition ?? {}).flatMap(([operator, keys]) => {
    if (!isConditionOperator(operator)) throw malformed(`${at}: the condition operator ${operator} is not known.`);
    return Object.entries(keys).map(([key, wanted]) => ({ operator, key: key.toLowerCase(), values: wanted }));
  });
  return {
    sid: written.Sid ?? null,
    effect: written.Effect,
    variables,
    principals:
      principals === null
        ? null
        : {
            mode: principals.mode,
            // Threat: `{ "Service": "*" }` read as everyone. No service calls here: its principal is nobody's.
            arns: principals.list.filter((one) => one.kind === "AWS").map((one) => one.name),
            named: principals.list,
          },
    actions: { mode: actions?.mode ?? "in", patterns: actions?.list ?? [] },
    resources: { mode: resources?.mode ?? "in", patterns: resources?.list ?? [] },
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
        Principal: { AWS: rootArn(account) },
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
