// `strongroom get`: one document, exactly as it is stored when piped, indented on a terminal.
import { text, wholeNumber } from "@strongroom/base/command";
import { openClient } from "../client/open.ts";
import { command, type CommandSpec, option } from "../command/spec.ts";
import { openOutput } from "../terminal/output.ts";

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
  run: async (invocation) => {
    const { context, args, options } = invocation;
    const [collection = "", id = ""] = args;
    const { terminal } = context;
    const client = await openClient(invocation);
    const record = await client.get(collection, id, options.version);
    const content = (): string => {
      if (terminal.mode === "json") {
        const { version, subject, createdAt } = record;
        return JSON.stringify({
          collection,
          id,
          version,
          subject,
          createdAt,
          document: JSON.parse(record.text) as unknown,
        });
      }
      return terminal.stdout.isTTY && options.output === undefined
        ? JSON.stringify(JSON.parse(record.text), null, 2)
        : record.text;
    };
    const output = await openOutput(options.output ?? "-", context);
    try {
      await output.write(`${content()}\n`);
      await output.commit();
    } catch (error) {
      await output.discard();
      throw error;
    }
    if (options.output !== undefined) terminal.say(`version ${record.version} written to ${options.output}`);
  },
});
