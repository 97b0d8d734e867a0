// What a principal looks like where one is named: in a key policy, as a grantee, as a retiring principal. Source: IAM
// User Guide, "AWS JSON policy elements: Principal".

import { ACCOUNT_ID, isPrincipalArn } from "../auth/principal-arn.ts";
import { AwsError } from "../protocol/aws-error.ts";

/** Kinds of principals in a policy statement. */
export type PrincipalKind = "AWS" | "Service" | "Federated";

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
  AWS: (name) => name === "*" || ACCOUNT_ID.test(name) || isPrincipalArn(name),
  Service: (name) => SERVICE.test(name),
  Federated: (name) => WEB_IDENTITIES.has(name) || PROVIDER_ARN.test(name),
};

/** Whether a policy statement may name this principal. */
export const isPrincipal = (kind: PrincipalKind, name: string): boolean => FORMS[kind](name);

/** @throws AwsError InvalidArnException for a grantee or retiring principal that cannot be one. */
export function requirePrincipalArn(text: string | undefined): void {
  if (text === undefined || isPrincipalArn(text)) return;
  throw new AwsError("InvalidArnException", `ARN does not refer to a valid principal: ${text}`);
}
