// A Terraform module of the roles, in Terraform's JSON syntax (*.tf.json), which is read as any other: one key a region
// with the key policy of keyPolicy, an alias, and the IAM policies for what no key policy can give. Source: Terraform
// documentation, "JSON Configuration Syntax"; provider hashicorp/aws from 6.0, whose resources take a region each.

import { beyondKeys, keyPolicy } from "./documents.ts";
import { ROLES } from "./roles.ts";
import type { Role } from "./roles.ts";

/** The account that Terraform works in. */
const ACCOUNT = "${data.aws_caller_identity.current.account_id}";

const variableOf = (role: Role): string => `${role}_arn`;

/** The module as JSON. */
export function terraformModule(roles: readonly Role[], alias: string): object {
  const principals = Object.fromEntries(roles.map((role) => [role, `\${var.${variableOf(role)}}`]));
  const withIam = roles.filter((role) => beyondKeys(role, ACCOUNT).length > 0);
  const text = (policy: object): string => JSON.stringify(policy);
  return {
    terraform: {
      required_version: ">= 1.5",
      required_providers: { aws: { source: "hashicorp/aws", version: ">= 6.0" } },
    },
    variable: {
      regions: {
        type: "set(string)",
        description: "Regions with a key each, such as eu-west-1, eu-west-2, eu-central-1.",
      },
      ...Object.fromEntries(
        roles.map((role) => [
          variableOf(role),
          { type: "string", description: `ARN of the role or user that ${ROLES[role].meaning}.` },
        ]),
      ),
    },
    data: { aws_caller_identity: { current: {} } },
    resource: {
      aws_kms_key: {
        strongroom: {
          for_each: "${var.regions}",
          region: "${each.key}",
          description: "Strongroom: wraps the data keys of records",
          deletion_window_in_days: 30,
          policy: text(keyPolicy(principals, ACCOUNT)),
          // Whoever destroys a key destroys every record that only it wraps.
          lifecycle: { prevent_destroy: true },
        },
      },
      aws_kms_alias: {
        strongroom: {
          for_each: "${aws_kms_key.strongroom}",
          region: "${each.key}",
          name: alias,
          target_key_id: "${each.value.key_id}",
        },
      },
      ...(withIam.length > 0 && {
        aws_iam_policy: Object.fromEntries(
          withIam.map((role) => [
            `strongroom_${role}`,
            {
              name: `strongroom-${role}`,
              description: `What no key policy can give to who ${ROLES[role].meaning}. Attach it.`,
              policy: text({ Version: "2012-10-17", Statement: beyondKeys(role, ACCOUNT) }),
            },
          ]),
        ),
      }),
    },
    output: {
      key_arns: {
        description: "For keys.regions of strongroom.config.json.",
        value: "${{ for region, key in aws_kms_key.strongroom : region => key.arn }}",
      },
    },
  };
}
