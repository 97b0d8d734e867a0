// `strongroom get`: one document, exactly as it is stored when piped, indented on a terminal.
import { text, texts, wholeNumber } from "@strongroom/base/command";
import { printableJson, printableJsonText } from "@strongroom/base/terminal";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { WHY_OPTIONS } from "./audit-options.ts";
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
    fields: option("--fields <path...>", "these fields alone, as address.postcode; repeat for several", texts()),
    output: option("-o, --output <file>", "write to a file (mode 0600) that appears whole or not at all", text()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom get people ada", meaning: "the latest version" },
    {
      line: "npx strongroom get people ada --version 1 --output ada-1.json",
      meaning: "the first version, into a file",
    },
    { line: "npx strongroom get people ada --fields name address.postcode", meaning: "some fields alone" },
    { line: "npx strongroom get people ada --json | jq .version", meaning: "with its version and subject around it" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", id = ""] = args;
    const { terminal } = context;
    const { fields, version: wanted } = options;
    const record = await (wanted === undefined
      ? client.records.get(collection, id, { fields })
      : client.records.version(collection, id, wanted, { fields }));
    const content = (): string => {
      const { document, text: stored, version, subject, about: also, createdAt } = record;
      if (terminal.mode === "json") {
        const about = printableJson({ collection, id, version, subject, about: also, createdAt });
        return `${about.slice(0, -1)},"document":${printableOr(stored, document, 0)}}`;
      }
      return terminal.stdout.isTTY && options.output === undefined ? printableOr(stored, document, 2) : stored;
    };
    await writeOutput(options.output ?? "-", `${content()}\n`, context);
    if (options.output !== undefined) terminal.say(`version ${record.version} written to ${options.output}`);
  }),
});

/** Node parses what is nested deeper than it writes: that is given as it is stored. */
function printableOr(stored: string, document: object, indent: number): string {
  try {
    return printableJson(document, indent);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return printableJsonText(stored);
  }
}
