// `strongroom-kms policy test`: would a request be allowed, and why.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { explain, storedKey } from "../../access/explain.ts";
import type { ExplainedKey, Explanation } from "../../access/explain.ts";
import { KmsError } from "../../errors.ts";
import { dataDirOptions, optionsOf } from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const pairs = z
  .array(z.string().regex(/^[^=]+=/, "must be NAME=VALUE"))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])),
  );

const schema = z.object({
  ...dataDirOptions.shape,
  key: z.string().optional(),
  policy: z.string().optional(),
  principal: z.string({ error: "is needed: the ARN of a user, a role or the account's root" }),
  principals: z.string().optional(),
  action: z
    .string({ error: "is needed: kms:Decrypt and its like" })
    .transform((action) => (action.includes(":") ? action : `kms:${action}`)),
  context: pairs,
  input: pairs,
  sourceIp: z.string().default("127.0.0.1"),
});
type Values = z.infer<typeof schema>;

export const policyTestCommand: CommandSpec = command<Values>({
  name: "policy test",
  summary: "say whether a request would be allowed, and why",
  description:
    "Takes a stored key with its policy, tags, aliases and grants, or a policy in a file. Exit code 0 if the " +
    "request would be allowed, 6 if not. Nothing is changed, and no root key is needed.",
  options: [
    { flags: "--key <key>", description: "a key of the data folder: id, ARN, alias or alias ARN" },
    ...optionsOf(dataDirOptions),
    { flags: "--policy <file>", description: "instead of --key: a key policy (JSON)" },
    { flags: "--principal <arn>", description: "who asks: arn:aws:iam::ACCOUNT:user/NAME, …:role/NAME or …:root" },
    { flags: "--principals <file>", description: "the server's principals file, for the principal's own policies" },
    { flags: "--action <action>", description: "what for: kms:Decrypt, kms:CreateGrant …" },
    {
      flags: "--context <name=value>",
      description: "a pair of the encryption context; several times for several",
      times: "many",
    },
    {
      flags: "--input <name=value>",
      description: "a member of the request that conditions ask about, such as SigningAlgorithm=…",
      times: "many",
    },
    { flags: "--source-ip <address>", description: "where the request comes from (default: 127.0.0.1)" },
  ],
  schema,
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
  ],
  async run({ values, result }) {
    const explanation = explain({
      key: await keyOf(values),
      principalArn: values.principal,
      principalsFile: values.principals ?? null,
      action: values.action,
      context: values.context,
      input: values.input,
      sourceIp: values.sourceIp,
    });
    result(explanation, () => describe(explanation));
    return explanation.decision.kind === "allow" ? "ok" : "not-allowed";
  },
});

async function keyOf({ key, policy, dataDir }: Values): Promise<ExplainedKey> {
  if ((key === undefined) === (policy === undefined)) throw new KmsError("option-invalid", "give --key or --policy.");
  if (key !== undefined) return storedKey(dataDir, key);
  try {
    return { kind: "policy", text: readFileSync(policy ?? "", "utf8") };
  } catch (cause) {
    throw new KmsError("option-invalid", `${policy ?? ""} could not be read.`, { cause });
  }
}

const describe = ({ sentence, statements }: Explanation): string =>
  [
    sentence,
    ...statements.map(
      (one) => `  ${one.source}, statement ${one.statement} (${one.effect}): ${one.mismatch ?? "applies"}`,
    ),
  ].join("\n");
