// `strongroom history`: the versions of a record.
import { renderTable } from "@strongroom/base/terminal";
import { command, type CommandSpec, withService } from "../command.ts";

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
  run: withService(async (client, { context, args }) => {
    const [collection = "", id = ""] = args;
    const history = await client.records.history(collection, id);
    const versions = history.map(({ version, subject, about, createdAt }) => ({ version, subject, about, createdAt }));
    context.terminal.result({ collection, id, versions }, (shown) =>
      renderTable(
        [{ heading: "VERSION", align: "right" }, { heading: "WRITTEN" }, { heading: "SUBJECT" }],
        shown.versions.map(({ version, createdAt, subject, about = [] }) => [
          String(version),
          createdAt,
          [subject ?? "-", ...about].join(", "),
        ]),
        context.terminal.width,
      ),
    );
  }),
});
