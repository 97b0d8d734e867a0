// What a principal looks like: in a key policy, as a grantee, as a retiring principal. Whether there is such a user or
// role in another account cannot be known here; that its name could be one can. Source: IAM User Guide, "AWS JSON
// policy elements: Principal" and "IAM identifiers".

import { AwsError } from "../protocol/aws-error.ts";

/** Kinds of principals in a policy statement. */
export type PrincipalKind = "AWS" | "Service" | "Federated";

const ACCOUNT = /^\d{12}$/;
const NAME = String.raw`(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64}`;
const PRINCIPAL_ARN = new RegExp(
  String.raw`^arn:aws:(?:iam::\d{12}:(?:root|user/${NAME}|role/${NAME})|` +
    String.raw`sts::\d{12}:(?:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{2,64}|federated-user/[\w+=,.@-]{2,64}))$`,
);
const PROVIDER_ARN = /^arn:aws:iam::\d{12}:(?:saml-provider|oidc-provider)\/[\w+=,.@/:-]{1,256}$/;
const SERVICE = /^(?:[a-z0-9-]+\.)+amazonaws\.com$/;
const WEB_IDENTITIES: ReadonlySet<string> = new Set([
  "accounts.google.com",
  "cognito-identity.amazonaws.com",
  "graph.facebook.com",
  "www.amazon.com",
]);

/** `*` stands for everyone, never for a part of a name: groups, unique ids and patterns are no principals. */
const FORMS: Readonly<Record<PrincipalKind, (name: string) => boolean>> = {
  AWS: (name) => name === "*" || ACCOUNT.test(name) || isPrincipalArn(name),
  Service: (name) => SERVICE.test(name),
  Federated: (name) => WEB_IDENTITIES.has(name) || PROVIDER_ARN.test(name),
};

/** Whether `text` is the ARN of an account's root, a user, a role, a session of a role or a federated user. */
export const isPrincipalArn = (text: string): boolean => {
  // The longest path there can be; the pattern is tried on nothing longer.
  if (text.length > 1024 || !PRINCIPAL_ARN.test(text)) return false;
  return !text.includes("*") && !text.includes("?");
};

/** Whether a policy statement may name this principal. */
export const isPrincipal = (kind: PrincipalKind, name: string): boolean => FORMS[kind](name);

/** @throws AwsError InvalidArnException for a grantee or retiring principal that cannot be one. */
export function requirePrincipalArn(text: string | undefined): void {
  if (text === undefined || isPrincipalArn(text)) return;
  throw new AwsError("InvalidArnException", `ARN does not refer to a valid principal: ${text}`);
}
