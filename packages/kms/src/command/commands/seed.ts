// `strongroom-kms seed`: keys with fixed ids and known material, for tests.

import type { CommandSpec } from "@strongroom/base/command";
import { makeFolder } from "../folder.ts";
import { rootKeyOf } from "../root-key-options.ts";
import { command } from "../spec.ts";

export const seedCommand: CommandSpec = command({
  name: "seed",
  heading: "Commands",
  args: "<file>",
  summary: "make the keys of a seed file; for tests",
  description: [
    "A seed (YAML or JSON) lists keys: id, region or regions, spec, usage, description, enabled, aliases, tags, " +
      "policy, material. Keys that are there",
    "already stay as they are. MATERIAL IN A SEED IS NOT SECRET: whoever can read the file can use the key. The " +
      "server must not run;",
    "`serve --seed` does the same at its start.",
  ].join(" "),
  options: {},
  flagGroups: ["folder", "regions", "root-key", "account"],
  examples: [
    {
      line: "npx @strongroom/kms seed --data-dir /tmp/kms seed.yaml",
      meaning: "makes /tmp/kms, with the keys of seed.yaml in it",
    },
  ],
  async run({ args, loaded, context: { terminal } }) {
    const { seedDataDir, warningOf } = await import("../../seed/apply-seed.ts");
    makeFolder(loaded.dataDir);
    const report = await seedDataDir({
      dataDir: loaded.dataDir,
      rootKey: rootKeyOf(loaded),
      regions: loaded.regions,
      accountId: loaded.accountId,
      seed: args[0] ?? "",
    });
    const warning = warningOf(report);
    if (warning !== null) terminal.sayAlways(`\n*** ${warning} ***\n\n`);
    terminal.result(report, ({ made, kept }) =>
      [...made.map((arn) => `made  ${arn}`), ...kept.map((arn) => `kept  ${arn}`)].join("\n"),
    );
  },
});
