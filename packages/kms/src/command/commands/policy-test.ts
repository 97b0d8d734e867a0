// `strongroom-kms policy test`: would a request be allowed, and why.

import { readFileSync } from "node:fs";
import { type CommandSpec, option, repeatedOption } from "@strongroom/base/command";
import { z } from "zod";
import type { Explanation } from "../../access/explain.ts";
import type { ExplainedKey } from "../../access/supposition.ts";
import { KmsError } from "../../errors.ts";
import { allowReadablePrincipals } from "../principals-option.ts";
import { command } from "../spec.ts";

const pairs: z.ZodType<Readonly<Record<string, string>>> = z
  .array(z.string().regex(/^[^=]+=/, "must be NAME=VALUE"))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])),
  );

/** Lists and structures of a request are given as JSON: `Operations=["Decrypt"]`. */
const members: z.ZodType<Readonly<Record<string, unknown>>> = pairs.transform((named) =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [name, /^[[{]/.test(value) ? parsed(value) : value])),
);

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export const policyTestCommand: CommandSpec = command({
  name: "policy test",
  heading: "Commands",
  summary: "say whether a request would be allowed, and why",
  description:
    "Takes a stored key with its policy, tags, aliases and grants, or a policy in a file; neither for an action that " +
    "is about no key. A member of the request that is not given has its default, as in a request. Exit code 0 if the " +
    "request would be allowed, 6 if not. Nothing is changed, and no root key is needed.",
  options: {
    key: option("--key <key>", "a key of the KMS's folder: id, ARN, alias or alias ARN", z.string().optional()),
    policy: option("--policy <file>", "instead of --key: a key policy (JSON)", z.string().optional()),
    principal: option(
      "--principal <arn>",
      "who asks: arn:aws:iam::ACCOUNT:user/NAME, …:role/NAME or …:root",
      z.string({ error: "is needed: the ARN of a user, a role or the account's root" }),
    ),
    principals: option(
      "--principals <file>",
      "the server's principals file, for the principal's own policies",
      z.string().optional(),
    ),
    allowReadablePrincipals,
    action: option(
      "--action <action>",
      "what for: kms:Decrypt, kms:CreateGrant …",
      z
        .string({ error: "is needed: kms:Decrypt and its like" })
        .transform((action) => (action.includes(":") ? action : `kms:${action}`)),
    ),
    context: repeatedOption(
      "--context <name=value>",
      "a pair of the encryption context; several times for several",
      pairs,
    ),
    input: repeatedOption(
      "--input <name=value>",
      "a member of the request that conditions ask about, such as SigningAlgorithm=…; lists and structures as JSON",
      members,
    ),
    sourceIp: option(
      "--source-ip <address>",
      "where the request comes from (default: 127.0.0.1)",
      z.string().default("127.0.0.1"),
    ),
  },
  flagGroups: ["folder"],
  examples: [
    {
      line:
        "npx @strongroom/kms policy test --key alias/orders --principal arn:aws:iam::000000000000:user/ann --action " +
        "Decrypt --context team=a",
      meaning: "a stored key",
    },
    {
      line:
        "npx @strongroom/kms policy test --policy policy.json --principal arn:aws:iam::000000000000:role/app " +
        "--action kms:Encrypt",
      meaning: "a policy before it is put in force",
    },
    {
      line:
        "npx @strongroom/kms policy test --principals principals.json " +
        "--principal arn:aws:iam::000000000000:user/ann --action CreateKey --input KeySpec=RSA_2048",
      meaning: "an action that is about no key",
    },
  ],
  async run({ options, loaded, context: { terminal }, endWith }) {
    const { explain } = await import("../../access/explain.ts");
    const { key, policy, principal, principals, action, context, input, sourceIp } = options;
    const explanation = explain({
      key: await keyOf(key, policy, loaded.dataDir),
      principalArn: principal,
      principalsFile:
        principals === undefined
          ? null
          : { path: principals, others: options.allowReadablePrincipals ? "may-read" : "may-not-read" },
      action,
      context,
      input,
      sourceIp,
    });
    terminal.result(explanation, describe);
    if (explanation.decision.kind !== "allow") endWith("not-allowed");
  },
});

async function keyOf(key: string | undefined, policy: string | undefined, dataDir: string): Promise<ExplainedKey> {
  if (key !== undefined && policy !== undefined) throw new KmsError("option-invalid", "give --key or --policy.");
  if (key !== undefined) {
    const { storedKey } = await import("../../access/explain.ts");
    return storedKey(dataDir, key);
  }
  if (policy === undefined) return { kind: "none" };
  try {
    return { kind: "policy", text: readFileSync(policy, "utf8") };
  } catch (cause) {
    throw new KmsError("option-invalid", `${policy} could not be read.`, { cause });
  }
}

const describe = ({ sentence, statements }: Explanation): string =>
  [
    sentence,
    ...statements.map(
      (one) => `  ${one.source}, statement ${one.statement} (${one.effect}): ${one.mismatch ?? "applies"}`,
    ),
  ].join("\n");
