// Key policies and IAM policies of the roles. Source: AWS KMS Developer Guide, "Key policies in AWS KMS" and "Using IAM
// policies with AWS KMS"; "kms:EncryptionContextKeys" for the form of the condition.

import { rootArn } from "../auth/principal-arn.ts";
import { ACCOUNT_KEEPS, CONTEXT_FORMS, ROLES } from "./roles.ts";
import type { Role } from "./roles.ts";

/** A statement of a policy, as JSON. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal?: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A policy, as JSON. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** What every statement of a document says of whom it is about and where it holds. */
type Whom = Pick<PolicyStatement, "Effect" | "Principal" | "Resource">;

/** A statement for each form of context. `ForAllValues` alone would hold for no context at all. */
function underContext(role: Role, whom: Whom): readonly PolicyStatement[] {
  const isReader = ROLES[role].underContext.includes("Decrypt");
  const forms = CONTEXT_FORMS.filter(({ isForReaders = false }) => isReader || !isForReaders);
  return forms.map(({ sid, needed, optional }) => ({
    Sid: `${titled(role)}${sid}`,
    ...whom,
    Action: kms(ROLES[role].underContext),
    Condition: {
      "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": [...needed, ...optional] },
      Null: Object.fromEntries(needed.map((name) => [`kms:EncryptionContext:${name}`, "false"])),
    },
  }));
}

const kms = (operations: readonly string[]): readonly string[] => operations.map((operation) => `kms:${operation}`);
const titled = (role: Role): string => role.charAt(0).toUpperCase() + role.slice(1);
const document = (statements: readonly PolicyStatement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statements.filter(({ Action }) => Action.length > 0),
});

/**
 * A key policy for those roles: they and the account's administration, and nobody else, whatever IAM policies say. What
 * is about no key, or about an alias, no key policy can give: it is in the role's IAM policy.
 * @param principals role -> ARN of who has it
 */
export function keyPolicy(principals: Readonly<Partial<Record<Role, string>>>, account: string): PolicyDocument {
  const roles = Object.entries(principals) as [Role, string][];
  return document([
    {
      Sid: "AccountAdministers",
      Effect: "Allow",
      Principal: { AWS: rootArn(account) },
      Action: kms(ACCOUNT_KEEPS),
      Resource: "*",
    },
    ...roles.flatMap(([role, arn]): PolicyStatement[] => {
      const whom: Whom = { Effect: "Allow", Principal: { AWS: arn }, Resource: "*" };
      return [...underContext(role, whom), { Sid: `${titled(role)}OnKey`, ...whom, Action: kms(ROLES[role].onKeys) }];
    }),
  ]);
}

/**
 * An IAM policy for a role, on keys whose key policy hands over to the account (as AWS's default key policy does).
 * @param keys ARNs of the keys; patterns are allowed
 */
export function iamPolicy(
  role: Role,
  { account, keys }: { readonly account: string; readonly keys: readonly string[] },
): PolicyDocument {
  const whom: Whom = { Effect: "Allow", Resource: keys };
  return document([
    ...underContext(role, whom),
    { Sid: `${titled(role)}OnKeys`, ...whom, Action: kms(ROLES[role].onKeys) },
    ...beyondKeys(role, account),
  ]);
}

/** The part of a role's IAM policy that no key policy can give. */
export function beyondKeys(role: Role, account: string): readonly PolicyStatement[] {
  const { onAliases, onAccount } = ROLES[role];
  const statements: PolicyStatement[] = [
    {
      Sid: `${titled(role)}OnAliases`,
      Effect: "Allow",
      Action: kms(onAliases),
      Resource: `arn:aws:kms:*:${account}:alias/*`,
    },
    { Sid: `${titled(role)}OnAccount`, Effect: "Allow", Action: kms(onAccount), Resource: "*" },
  ];
  return statements.filter(({ Action }) => Action.length > 0);
}

/** Every key of an account. */
export const everyKeyOf = (account: string): string => `arn:aws:kms:*:${account}:key/*`;
