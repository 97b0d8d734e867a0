// `strongroom import`: documents from NDJSON or CSV into a collection. Running the same command again after an
// interruption completes it.
import { given, oneOf, oneOfOr, text, wholeNumberOr } from "@strongroom/base/command";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { CliError } from "../errors.ts";
import { chooseFormat, FORMATS } from "../formats/document.ts";
import type { ImportJob } from "../transfer/import.ts";

/** `strongroom import`. */
export const importCommand: CommandSpec = command({
  name: "import",
  args: "<collection> <file>",
  heading: "Moving data",
  summary: "store every document of an NDJSON or CSV file (- reads standard input)",
  description:
    "Runs in batches. After an interruption run the same command again: records that are there with an equal " +
    "document are left alone, " +
    "so nothing is stored twice. Lines that cannot be imported are reported by number, the others are stored, " +
    "and the exit code is 1.",
  flagGroups: ["client"],
  options: {
    id: option("--id <field>", "field that holds each record's id (required; a dot goes into nested objects)", text()),
    subject: option("--subject <field>", "field that names the person a record is about (default: the id)", text()),
    format: option("--format <format>", "ndjson or csv (default: by the file's ending)", oneOf(FORMATS)),
    onExisting: option(
      "--on-existing <what>",
      "compare: leave equal documents alone, others become a new version; keep: leave all that exists; replace: " +
        "always a new version (default: compare)",
      oneOfOr("compare", ["compare", "keep", "replace"]),
    ),
    batch: option("--batch <n>", "records sent at a time (default: 100)", wholeNumberOr(100, 1, 1000)),
    retryFor: option(
      "--retry-for <seconds>",
      "keep trying this long when the service or too many regions are away (default: 30)",
      wholeNumberOr(30, 0, 86_400),
    ),
    skipBad: option("--skip-bad", "exit 0 although some lines could not be imported", given()),
  },
  examples: [
    {
      line: "npx strongroom import people people.ndjson --id id",
      meaning: "store a file, one JSON object a line, its field `id` naming each record",
    },
    {
      line: "npx strongroom import customers customers.csv --id customer --on-existing keep",
      meaning: "from CSV; leave records alone that exist",
    },
    {
      line: 'psql -c "COPY (SELECT row_to_json(p) FROM people p) TO STDOUT" | npx strongroom import people - --id id',
      meaning: "from a pipe",
    },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", path = "-"] = args;
    const { id, subject, onExisting, batch, retryFor, skipBad, format } = options;
    if (id === undefined) {
      throw new CliError("usage", {
        detail: "--id FIELD is needed: it names the field that holds each record's id.",
        remedy: `For example: strongroom import ${collection} ${path} --id id`,
      });
    }
    const job: ImportJob = {
      collection,
      path,
      format: chooseFormat(format, path),
      idField: id,
      subjectField: subject ?? null,
      onExisting,
      batch,
      retryForMs: retryFor * 1000,
      onBad: skipBad ? "accept" : "fail",
    };
    const { importRecords } = await import("../transfer/import.ts");
    await importRecords(job, client, context);
  }),
});
