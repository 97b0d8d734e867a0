// `strongroom put`: one document from standard input or a file. Never from the command line, which other users of the
// machine can read.
import { given, repeatedOption, text, wholeNumber } from "@strongroom/base/command";
import { wrapped } from "@strongroom/base/terminal";
import { z } from "zod";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { WHY_OPTIONS } from "./audit-options.ts";
import { CliError } from "../errors.ts";
import { readWhole } from "../input-output.ts";
import { looksPersonal, PERSONAL_ID_ADVICE } from "../personal-id.ts";

/** More than any service takes; beyond it the input is certainly not one document. */
const LONGEST_DOCUMENT = 16 * 1024 * 1024;

/** Left out: as they are. */
const names = z.array(z.string().min(1, "must not be empty")).optional();

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
    subject: option(
      "--subject <name>",
      "whom the record is about (default: as it is; of a new record as its collection declares, or COLLECTION/ID)",
      text(),
    ),
    about: repeatedOption("--about <name>", "a further person whom it is about; several times for several", names),
    repoint: option("--repoint", "let a record that is about somebody else be about this subject from now on", given()),
    tenant: option("--tenant <name>", "whose people they are (default: as declared, or default)", text()),
    ifVersion: option(
      "--if-version <n>",
      "only if this is the record's latest version",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    ),
    ifAbsent: option("--if-absent", "only if there is no such record", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: 'echo \'{"name":"Ada Lovelace"}\' | npx strongroom put people ada', meaning: "from a pipe" },
    {
      line: "npx strongroom put people ada --file ada.json --if-version 3",
      meaning: "replace version 3, and nothing newer",
    },
    {
      line: "npx strongroom put orders 7 --file order.json --subject C000127 --about C000128",
      meaning: "about two people; the first one's key seals it",
    },
  ],
  run: withService(async (client, { context, loaded, args, options }) => {
    const [collection = "", id = ""] = args;
    const { terminal } = context;
    if (options.ifVersion !== undefined && options.ifAbsent)
      throw new CliError("usage", { detail: "--if-version and --if-absent exclude each other." });
    if (options.file === undefined && terminal.stdin.isTTY)
      terminal.say("Type the document, a JSON object, and end with Ctrl-D:");
    const body = await readWhole(options.file ?? "-", context, { what: "document", longest: LONGEST_DOCUMENT });
    const { subject, about, repoint, tenant, ifVersion, ifAbsent } = options;
    const whom = { subject, about, repoint: repoint ? true : undefined, tenant };
    const answer = await client.records.put(collection, id, body, { ...whom, ifVersion, ifAbsent });
    body.fill(0);
    // The service has the last word on it; this is what is declared here.
    if (looksPersonal(id) && loaded.config.collections[collection]?.ids !== "sealed")
      terminal.say(terminal.styleError("yellow", `The id looks like an address. ${PERSONAL_ID_ADVICE}`));
    terminal.result(answer, ({ collection: into, id: as, outcome, version, about: also, wraps }) => {
      const name = `${into}/${as}`;
      const people = also === undefined ? "" : ` about ${also.length + 1} people,`;
      // Of the person's key, or in record scope of the version's own.
      const said =
        `${terminal.style("bold", name)} ${outcome}, version ${version},${people} ` +
        `its key has ${wraps.stored} of ${wraps.target} wraps`;
      const line = wrapped(said, terminal.width, 2);
      return wraps.missing.length === 0
        ? line
        : `${line}\n${terminal.style("yellow", `missing: ${wraps.missing.join(", ")}`)}`;
    });
  }),
});
