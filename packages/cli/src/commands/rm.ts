// `strongroom rm`: removes a record with all its versions, once a person has said so.
import { given, wholeNumber } from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { WHY_OPTIONS } from "./audit-options.ts";
import { requireYes } from "../confirm.ts";

/** `strongroom rm`. */
export const rmCommand: CommandSpec = command({
  name: "rm",
  args: "<collection> <id>",
  heading: "Records",
  summary: "remove a record with all its versions",
  description:
    "On a terminal it asks first; elsewhere it wants --yes, and standard input is never read as an answer.\n" +
    "The documents are gone at once, from this database: not from backups of it. What remains is the record's id, " +
    "and its subject: in the database, so that its version numbers are not used again (a record that is stored later " +
    "under the same id begins after the last), and in the audit of the KMS, in the encryption context of each call. " +
    "An e-mail address that is an id outlives its record.",
  flagGroups: ["client"],
  options: {
    ifVersion: option(
      "--if-version <n>",
      "only if this is the record's latest version",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    ),
    yes: option("-y, --yes", "remove it without asking", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom rm people ada", meaning: "ask, and remove it" },
    { line: "npx strongroom rm people ada --yes --if-version 3", meaning: "only if nobody wrote after version 3" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", id = ""] = args;
    if (!options.yes) await requireYes(`Remove ${printable(`${collection}/${id}`)} with all its versions?`, context);
    await client.records.remove(collection, id, { ifVersion: options.ifVersion });
    context.terminal.result({ collection, id, removed: true }, (shown) => `${shown.collection}/${shown.id} removed`);
  }),
});
