// `strongroom history`: the versions of a record.
import { printable, renderTable } from "@strongroom/base/terminal";
import { openClient } from "../client/open.ts";
import { command, type CommandSpec } from "../command/spec.ts";

/** `strongroom history`. */
export const historyCommand: CommandSpec = command({
  name: "history",
  args: "<collection> <id>",
  heading: "Records",
  summary: "list the versions of a record",
  flagGroups: ["client"],
  options: {},
  examples: [
    {
      line: "npx strongroom history people ada",
      meaning: "every version with its time; strongroom get --version N prints one",
    },
  ],
  run: async (invocation) => {
    const [collection = "", id = ""] = invocation.args;
    const client = await openClient(invocation);
    const versions = await client.history(collection, id);
    invocation.context.terminal.result({ collection, id, versions }, () =>
      renderTable(
        [{ heading: "VERSION", align: "right" }, { heading: "WRITTEN" }, { heading: "SUBJECT" }],
        versions.map(({ version, createdAt, subject }) => [String(version), createdAt, printable(subject)]),
      ),
    );
  },
});
