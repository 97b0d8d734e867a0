// `strongroom put`: one document from standard input or a file. Never from the command line, which other users of the
// machine can read.
import { given, text, wholeNumber } from "@strongroom/base/command";
import { wrapped } from "@strongroom/base/terminal";
import { secretConcat } from "@strongroom/base/secret-memory";
import { command, type CommandContext, type CommandSpec, option, withService } from "../command.ts";
import { CliError } from "../errors.ts";
import { openInput } from "../input-output.ts";
import { looksPersonal, PERSONAL_ID_ADVICE } from "../personal-id.ts";

/** More than any service takes; beyond it the input is certainly not one document. */
const LONGEST_DOCUMENT = 16 * 1024 * 1024;

/** `strongroom put`. */
export const putCommand: CommandSpec = command({
  name: "put",
  args: "<collection> <id>",
  heading: "Records",
  summary: "store a document (a JSON object) as a new version of a record",
  description:
    "The document comes from standard input or a file, never from the command line, where every process of the " +
    "machine could read it.",
  flagGroups: ["client"],
  options: {
    file: option("-f, --file <file>", "file that holds the document (default: standard input)", text()),
    subject: option("--subject <id>", "the person the record is about (default: the record's id)", text()),
    ifVersion: option(
      "--if-version <n>",
      "only if this is the record's latest version",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    ),
    ifAbsent: option("--if-absent", "only if there is no such record", given()),
  },
  examples: [
    { line: 'echo \'{"name":"Ada Lovelace"}\' | npx strongroom put people ada', meaning: "from a pipe" },
    {
      line: "npx strongroom put people ada --file ada.json --if-version 3",
      meaning: "replace version 3, and nothing newer",
    },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", id = ""] = args;
    const { terminal } = context;
    if (options.ifVersion !== undefined && options.ifAbsent)
      throw new CliError("usage", { detail: "--if-version and --if-absent exclude each other." });
    if (options.file === undefined && terminal.stdin.isTTY)
      terminal.say("Type the document, a JSON object, and end with Ctrl-D:");
    const body = await readDocument(options.file ?? "-", context);
    const { subject, ifVersion, ifAbsent } = options;
    const answer = await client.records.put(collection, id, body, { subject, ifVersion, ifAbsent });
    body.fill(0);
    if (looksPersonal(id) || looksPersonal(subject ?? ""))
      terminal.say(
        terminal.styleError(
          "yellow",
          `The ${looksPersonal(id) ? "id" : "subject"} looks like an address. ${PERSONAL_ID_ADVICE}`,
        ),
      );
    terminal.result(answer, ({ collection: into, id: as, outcome, version, wraps }) => {
      const name = `${into}/${as}`;
      const said =
        `${terminal.style("bold", name)} ${outcome}, version ${version}, ` +
        `wrapped in ${wraps.stored} of ${wraps.target} regions`;
      const line = wrapped(said, terminal.width, 2);
      return wraps.missing.length === 0
        ? line
        : `${line}\n${terminal.style("yellow", `missing: ${wraps.missing.join(", ")}`)}`;
    });
  }),
});

async function readDocument(path: string, context: CommandContext): Promise<Buffer> {
  const input = await openInput(path, context);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input.chunks) {
    size += chunk.length;
    if (size > LONGEST_DOCUMENT)
      throw new CliError("input-invalid", { detail: `The document is longer than ${LONGEST_DOCUMENT} bytes.` });
    chunks.push(chunk);
  }
  if (size === 0) throw new CliError("input-invalid", { detail: "There is no document: the input is empty." });
  return secretConcat(chunks);
}
