// `strongroom-kms audit verify`: whether the record of all calls is whole.

import { z } from "zod";
import { verifyAudit } from "../../upkeep/verify.ts";
import { dataDirOptions, optionsOf, rootKeyOf, rootKeyOptions } from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const schema = z.object({ ...dataDirOptions.shape, ...rootKeyOptions.shape });

export const auditVerifyCommand: CommandSpec = command<z.infer<typeof schema>>({
  name: "audit verify",
  summary: "check that no audit entry was changed, removed or inserted",
  description:
    "Every entry carries a MAC over itself and the one before it; its key is sealed under the root key. The server " +
    "may be running. Exit code 5 if the chain is broken.",
  options: optionsOf(dataDirOptions, rootKeyOptions),
  schema,
  examples: [
    {
      line: "npx @strongroom/kms audit verify --data-dir /srv/kms",
      meaning: "says how many entries there are, or which is the first that does not fit",
    },
  ],
  async run({ values, result }) {
    const report = await verifyAudit({ dataDir: values.dataDir, rootKey: rootKeyOf(values) });
    result(
      report,
      () =>
        `The audit chain is whole: ${report.auditEntries} entries${report.lastEventAt === null ? "" : `, the last of ${report.lastEventAt}`}.`,
    );
    return "ok";
  },
});
