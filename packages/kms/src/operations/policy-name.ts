// The name of a key's policy: there is only one.

import { notFound } from "../protocol/aws-error.ts";
import { text } from "../protocol/shape.ts";
import type { Shape } from "../protocol/shape.ts";

export const POLICY_NAME = "default";

export const policyName: Shape<string> = text({ min: 1, max: 128, pattern: /^[\w]+$/ });

/** @throws AwsError NotFoundException for any other name. */
export function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== POLICY_NAME) throw notFound("No such policy exists");
}
