// `strongroom get`: one document, exactly as it is stored when piped, indented on a terminal.
import { text, wholeNumber } from "@strongroom/base/command";
import { printableJson } from "@strongroom/base/terminal";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { writeOutput } from "../input-output.ts";

/** `strongroom get`. */
export const getCommand: CommandSpec = command({
  name: "get",
  args: "<collection> <id>",
  heading: "Records",
  summary: "print a document",
  flagGroups: ["client"],
  options: {
    version: option("--version <n>", "this version instead of the latest", wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    output: option("-o, --output <file>", "write to a file (mode 0600) that appears whole or not at all", text()),
  },
  examples: [
    { line: "npx strongroom get people ada", meaning: "the latest version" },
    {
      line: "npx strongroom get people ada --version 1 --output ada-1.json",
      meaning: "the first version, into a file",
    },
    { line: "npx strongroom get people ada --json | jq .version", meaning: "with its version and subject around it" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", id = ""] = args;
    const { terminal } = context;
    const record = await (options.version === undefined
      ? client.records.get(collection, id)
      : client.records.version(collection, id, options.version));
    const content = (): string => {
      if (terminal.mode === "json") {
        const { version, subject, createdAt, document } = record;
        return printableJson({ collection, id, version, subject, createdAt, document });
      }
      return terminal.stdout.isTTY && options.output === undefined ? printableJson(record.document, 2) : record.text;
    };
    await writeOutput(options.output ?? "-", `${content()}\n`, context);
    if (options.output !== undefined) terminal.say(`version ${record.version} written to ${options.output}`);
  }),
});
