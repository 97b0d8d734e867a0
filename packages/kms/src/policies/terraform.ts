// A Terraform module of the roles, in Terraform's JSON syntax (*.tf.json), which is read as any other: two keys a
// region, for records and for the keys of people, with the key policy of keyPolicy and an alias each, and the IAM
// policies for what no key policy can give. Source: Terraform documentation, "JSON Configuration Syntax"; provider
// hashicorp/aws from 6.0, whose resources take a region each.

import { beyondKeys, keyPolicy } from "./documents.ts";
import { ROLES } from "./roles.ts";
import type { Role } from "./roles.ts";

/** The account that Terraform works in. */
const ACCOUNT = "${data.aws_caller_identity.current.account_id}";

/** What each key wraps, and the output that names its ARNs. The keys of people are destroyed without the records'. */
const KEYS = {
  strongroom: {
    description: "Strongroom: wraps the data keys of records",
    aliasEnd: "",
    output: "key_arns",
    setting: "keys.regions[].keyArn",
  },
  strongroom_keys: {
    description: "Strongroom: wraps the keys of people and nothing else, generation 1",
    aliasEnd: "-keys-1",
    output: "key_store_key_arns",
    setting: "keys.regions[].keyStoreKeyArn",
  },
} as const;

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
        description: "Regions with two keys each, such as eu-west-1, eu-west-2, eu-central-1.",
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
      aws_kms_key: eachKey((_name, { description }) => ({
        for_each: "${var.regions}",
        region: "${each.key}",
        description,
        deletion_window_in_days: 30,
        policy: text(keyPolicy(principals, ACCOUNT)),
        // Whoever destroys a key destroys everything that only it wraps.
        lifecycle: { prevent_destroy: true },
      })),
      aws_kms_alias: eachKey((name, { aliasEnd }) => ({
        for_each: `\${aws_kms_key.${name}}`,
        region: "${each.key}",
        name: `${alias}${aliasEnd}`,
        target_key_id: "${each.value.key_id}",
      })),
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
    output: Object.fromEntries(
      Object.entries(KEYS).map(([name, { output, setting }]) => [
        output,
        {
          description: `For ${setting} of strongroom.config.json.`,
          value: `\${{ for region, key in aws_kms_key.${name} : region => key.arn }}`,
        },
      ]),
    ),
  };
}

function eachKey(resource: (name: string, key: (typeof KEYS)[keyof typeof KEYS]) => object): object {
  return Object.fromEntries(Object.entries(KEYS).map(([name, key]) => [name, resource(name, key)]));
}
