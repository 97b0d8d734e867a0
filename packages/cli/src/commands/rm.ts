// `strongroom rm`: removes a record with all its versions.
import { wholeNumber } from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import { command, type CommandSpec, option, withService } from "../command.ts";

/** `strongroom rm`. */
export const rmCommand: CommandSpec = command({
  name: "rm",
  args: "<collection> <id>",
  heading: "Records",
  summary: "remove a record with all its versions",
  description:
    "Its version numbers are not used again: a record that is stored later under the same id begins after the last.",
  flagGroups: ["client"],
  options: {
    ifVersion: option(
      "--if-version <n>",
      "only if this is the record's latest version",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    ),
  },
  examples: [
    { line: "npx strongroom rm people ada", meaning: "remove it" },
    { line: "npx strongroom rm people ada --if-version 3", meaning: "only if nobody wrote after version 3" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", id = ""] = args;
    await client.records.remove(collection, id, { ifVersion: options.ifVersion });
    context.terminal.result({ collection, id, removed: true }, () => `${printable(`${collection}/${id}`)} removed`);
  }),
});
