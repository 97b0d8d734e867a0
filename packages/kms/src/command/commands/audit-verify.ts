// `strongroom-kms audit verify`: whether the record of all calls, and every row beside it, is as the KMS left it.

import type { CommandSpec } from "@strongroom/base/command";
import { rootKeyOf } from "../root-key-options.ts";
import { command } from "../spec.ts";

export const auditVerifyCommand: CommandSpec = command({
  name: "audit verify",
  heading: "Commands",
  summary: "check that no audit entry and no row was changed, removed or inserted",
  description:
    "Every entry carries a MAC over itself and the one before it; every row of a key, a grant or an alias has one " +
    "too, and a digest over all of them says which there are. Their keys are sealed under the root key. The server " +
    "may be running. Exit code 5 if the chain is broken or a row does not hold; each is named.",
  options: {},
  flagGroups: ["folder", "root-key"],
  examples: [
    {
      line: "npx @strongroom/kms audit verify --data-dir /srv/kms",
      meaning: "says how many entries there are, or which is the first that does not fit",
    },
  ],
  async run({ loaded, context }) {
    const { verifyAudit } = await import("../../upkeep/verify.ts");
    const report = await verifyAudit({ dataDir: loaded.dataDir, rootKey: rootKeyOf(loaded) });
    context.terminal.result(
      report,
      () =>
        `The audit chain is whole: ${report.auditEntries} entries${report.lastEventAt === null ? "" : `, the last of ${report.lastEventAt}`}.`,
    );
  },
});
