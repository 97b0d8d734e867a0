// `strongroom-kms seed`: keys with fixed ids and known material, for tests.

import { z } from "zod";
import { seedDataDir, warningOf } from "../../seed/apply-seed.ts";
import { accountOptions, dataDirOptions, optionsOf, regionOptions, rootKeyOf, rootKeyOptions } from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const schema = z.object({
  ...dataDirOptions.shape,
  ...rootKeyOptions.shape,
  ...regionOptions.shape,
  ...accountOptions.shape,
});

export const seedCommand: CommandSpec = command<z.infer<typeof schema>>({
  name: "seed",
  args: "<file>",
  summary: "make the keys of a seed file; for tests",
  description: [
    "A seed (YAML or JSON) lists keys: id, region or regions, spec, usage, description, enabled, aliases, tags, " +
      "policy, material. Keys that are there",
    "already stay as they are. MATERIAL IN A SEED IS NOT SECRET: whoever can read the file can use the key. The " +
      "server must not run;",
    "`serve --seed` does the same at its start.",
  ].join(" "),
  options: optionsOf(dataDirOptions, regionOptions, rootKeyOptions, accountOptions),
  schema,
  examples: [
    {
      line: "npx @strongroom/kms seed --data-dir /tmp/kms seed.yaml",
      meaning: "makes /tmp/kms, with the keys of seed.yaml in it",
    },
  ],
  async run({ args, values, io, result }) {
    const report = await seedDataDir({
      dataDir: values.dataDir,
      rootKey: rootKeyOf(values),
      regions: values.region,
      accountId: values.accountId,
      seed: args[0] ?? "",
    });
    const warning = warningOf(report);
    if (warning !== null) io.stderr.write(`\n*** ${warning} ***\n\n`);
    result(report, () =>
      [...report.made.map((arn) => `made  ${arn}`), ...report.kept.map((arn) => `kept  ${arn}`)].join("\n"),
    );
    return "ok";
  },
});
