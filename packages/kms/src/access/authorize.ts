// Whether a principal may do something: the decision, as an error if it is no.

import { AwsError } from "../protocol/aws-error.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { Principal } from "../auth/principals.ts";
import { decide } from "./evaluate.ts";
import type { Decision, Question } from "./evaluate.ts";
import { parsePolicy, readPolicy } from "./policy.ts";
import type { Statement } from "./policy.ts";

/** Parsed policies, kept as long as the record or principal that they belong to. */
const keyPolicies = new WeakMap<KeyRecord, readonly Statement[]>();
const identityPolicies = new WeakMap<Principal, readonly Statement[]>();

/** The statements of a key's policy. */
export function policyOf(key: KeyRecord): readonly Statement[] {
  let statements = keyPolicies.get(key);
  if (statements === undefined) keyPolicies.set(key, (statements = parsePolicy(key.policy)));
  return statements;
}

/** The statements of all identity policies of a principal. */
export function identityPoliciesOf(principal: Principal): readonly Statement[] {
  let statements = identityPolicies.get(principal);
  if (statements === undefined)
    identityPolicies.set(
      principal,
      (statements = principal.policies.flatMap((policy) => readPolicy(policy, "identity"))),
    );
  return statements;
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
