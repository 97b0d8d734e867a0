// `strongroom-kms policy template`: policies of least privilege for those who work with a Strongroom's keys, on AWS or
// here.

import { type CommandSpec, option, repeatedOption } from "@strongroom/base/command";
import { z } from "zod";
import { isLastingPrincipalArn } from "../../auth/principal-arn.ts";
import { KmsError } from "../../errors.ts";
import { everyKeyOf, iamPolicy, keyPolicy } from "../../policies/documents.ts";
import { ROLE_NAMES, ROLES } from "../../policies/roles.ts";
import type { Role } from "../../policies/roles.ts";
import { terraformModule } from "../../policies/terraform.ts";
import { command } from "../spec.ts";

const FORMATS = ["key-policy", "iam", "terraform"] as const;
const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9*-]+:\d{12}:key\/[A-Za-z0-9*-]+$/;
const ALIAS = "alias/strongroom";

const role = z.enum(ROLE_NAMES as [Role, ...Role[]], `must be one of ${ROLE_NAMES.join(", ")}`);
const roles: z.ZodType<readonly Role[]> = z
  .array(role, `is needed: ${ROLE_NAMES.join(", ")}`)
  .transform((list) => ROLE_NAMES.filter((name) => list.includes(name)));
const principals: z.ZodType<Readonly<Partial<Record<Role, string>>>> = z
  .array(
    z.string().refine((pair) => {
      const [name = "", arn = ""] = pair.split(/=(.*)/s);
      return role.safeParse(name).success && isLastingPrincipalArn(arn);
    }, "must be ROLE=ARN, such as service=arn:aws:iam::123456789012:role/strongroom"),
  )
  .default([])
  .transform((list) => Object.fromEntries(list.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [Role, string])));
const keyArns: z.ZodType<readonly string[]> = z
  .array(z.string().regex(KEY_ARN, "must be the ARN of a key, in which * may stand for a part"))
  .default([]);

export const policyTemplateCommand: CommandSpec = command({
  name: "policy template",
  heading: "Commands",
  summary: "print policies for the service, a writer, an operator or an auditor",
  description: [
    "Each role gets what it needs and no more. " +
      ROLE_NAMES.map((name) => `${name}: ${ROLES[name].meaning}.`).join(" "),
    "A key policy gives the roles their rights on the key, and leaves its administration to the account. An IAM " +
      "policy works on keys whose policy hands over to the account. The Terraform module (JSON syntax: save it as " +
      "strongroom.tf.json) makes a key in each region, with both.",
  ].join(" "),
  options: {
    for: repeatedOption("--for <role>", `${ROLE_NAMES.join(", ")}; several times for several`, roles),
    format: option(
      "--format <format>",
      `${FORMATS.join(", ")} (default: key-policy)`,
      z.enum(FORMATS, `must be one of ${FORMATS.join(", ")}`).default("key-policy"),
    ),
    principal: repeatedOption(
      "--principal <role=arn>",
      "who has the role (default: the account's role strongroom-ROLE); in key policies",
      principals,
    ),
    key: repeatedOption(
      "--key <arn>",
      "a key that an IAM policy is about (default: every key of the account)",
      keyArns,
    ),
  },
  flagGroups: ["account"],
  examples: [
    {
      line: "npx @strongroom/kms policy template --for service --for operator --account-id 123456789012",
      meaning: "a key policy, for the keys of a Strongroom on AWS",
    },
    {
      line: "npx @strongroom/kms policy template --for service --format iam --account-id 123456789012",
      meaning: "the IAM policy of the service",
    },
    {
      line: "npx @strongroom/kms policy template --for service --for operator --for auditor --format terraform",
      meaning: "a Terraform module",
    },
  ],
  async run({ options, loaded: { accountId }, context: { terminal } }) {
    const { format, principal, key } = options;
    if (format !== "iam" && key.length > 0) throw new KmsError("option-invalid", "--key is for --format iam.");
    if (format !== "key-policy" && Object.keys(principal).length > 0)
      throw new KmsError("option-invalid", "--principal is for --format key-policy.");
    const unasked = Object.keys(principal).filter((name) => !options.for.includes(name as Role));
    if (unasked.length > 0)
      throw new KmsError("option-invalid", `--principal names ${unasked.join(", ")}, --for does not.`);
    const made = { "key-policy": asKeyPolicy, iam: asIamPolicies, terraform: asTerraform }[format]({
      roles: options.for,
      account: accountId,
      principals: principal,
      keys: key,
    });
    terminal.result(made, () => JSON.stringify(made, null, 2));
  },
});

interface Wanted {
  readonly roles: readonly Role[];
  readonly account: string;
  readonly principals: Readonly<Partial<Record<Role, string>>>;
  readonly keys: readonly string[];
}

function asKeyPolicy({ roles: wanted, account, principals: named }: Wanted): object {
  const arnOf = (name: Role): string => named[name] ?? `arn:aws:iam::${account}:role/strongroom-${name}`;
  return keyPolicy(Object.fromEntries(wanted.map((name) => [name, arnOf(name)])), account);
}

/** One policy, as AWS takes it: an IAM policy is one role's. */
function asIamPolicies({ roles: wanted, account, keys }: Wanted): object {
  const [only, ...others] = wanted;
  if (only === undefined || others.length > 0)
    throw new KmsError("option-invalid", "an IAM policy is for one role: give --for once.");
  return iamPolicy(only, { account, keys: keys.length > 0 ? keys : [everyKeyOf(account)] });
}

const asTerraform = ({ roles: wanted }: Wanted): object => terraformModule(wanted, ALIAS);
