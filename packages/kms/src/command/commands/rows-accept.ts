// `strongroom-kms rows accept`: going on with rows that the KMS refuses.

import { type CommandSpec, given, option } from "@strongroom/base/command";
import { KmsError } from "../../errors.ts";
import { rootKeyOf } from "../root-key-options.ts";
import { command } from "../spec.ts";

export const rowsAcceptCommand: CommandSpec = command({
  name: "rows accept",
  heading: "Commands",
  summary: "take over rows of the database that the KMS did not write",
  description: [
    "The KMS does not start on a database whose rows (keys, policies, grants, aliases) are not those that it committed",
    "last: `audit verify` and the refused start name them. The remedy is a backup. This command is for when you have",
    "looked at every row and would rather keep what is there: with --yes it takes all of them over as they are, and",
    "records in the audit what did not hold. Without, it lists them. The server must not run.",
  ].join(" "),
  options: {
    yes: option("--yes", "take the rows over; without it nothing is changed", given()),
  },
  flagGroups: ["folder", "root-key"],
  examples: [
    { line: "npx @strongroom/kms rows accept --data-dir /srv/kms", meaning: "lists the rows that do not hold" },
    { line: "npx @strongroom/kms rows accept --data-dir /srv/kms --yes", meaning: "takes them over as they are" },
  ],
  async run({ options, loaded, context }) {
    const { acceptRows } = await import("../../upkeep/accept-rows.ts");
    const mode = options.yes ? "accept" : "look";
    const report = await acceptRows({ dataDir: loaded.dataDir, rootKey: rootKeyOf(loaded), mode });
    if (mode === "look" && report.findings.length > 0)
      throw new KmsError("store-corrupt", "it is not as the KMS left it:", {
        problems: report.findings,
        remedy: "Restore a backup; or, if these rows are as you want them, say so with --yes.",
      });
    context.terminal.result(report, ({ rows, findings }) =>
      findings.length === 0
        ? "Every row is as the KMS left it."
        : [
            `${rows} rows are taken over as they are. What did not hold is in the audit:`,
            ...findings.map((finding) => `  ${finding}`),
          ].join("\n"),
    );
  },
});
