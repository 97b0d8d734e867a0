// `strongroom import`: the records of a file into a collection. Running the same command again after an
// interruption completes it.
import { given, oneOf, oneOfOr, text, wholeNumberOr } from "@strongroom/base/command";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { CliError } from "../errors.ts";
import { INPUT_FORMAT_NAMES } from "../formats/names.ts";
import type { ImportJob } from "../transfer/import.ts";

/** `strongroom import`. */
export const importCommand: CommandSpec = command({
  name: "import",
  args: "<collection> <file>",
  heading: "Moving data",
  summary: "store every record of a file: NDJSON, JSON, CSV (- reads standard input)",
  description:
    "Runs in batches. After an interruption run the same command again: records that are there with an equal\n" +
    "document are left alone, so nothing is stored twice. Lines that cannot be imported are reported by number, the\n" +
    "others are stored, and the exit code is 1.\n" +
    "What a file is shows in its first bytes: format, delimiter and encoding, gzip and zstd too. What is not taken\n" +
    "is refused before anything is stored, with what to do instead. More: docs/files.md",
  flagGroups: ["client"],
  options: {
    id: option("--id <field>", "field that holds each record's id (required; a dot goes into nested objects)", text()),
    subject: option("--subject <field>", "field that names the person a record is about (default: the id)", text()),
    format: option(
      "--format <format>",
      `${INPUT_FORMAT_NAMES.join(", ")} (default: as the file looks)`,
      oneOf(INPUT_FORMAT_NAMES),
    ),
    encoding: option("--encoding <name>", "text that is not UTF-8 or UTF-16: windows-1252, for example", text()),
    delimiter: option(
      "--delimiter <character>",
      "CSV: what stands between cells; tab for a tab (default: as the file looks)",
      text(),
    ),
    nest: option(
      "--nest",
      "CSV: dots in headings go into nested objects, as they do in files that Strongroom wrote",
      given(),
    ),
    records: option(
      "--records <path>",
      "JSON: where the records are, for example users or entry[].resource; . for one object that is the record",
      text(),
    ),
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
      line: "npx strongroom import customers customers.csv --id email --on-existing keep",
      meaning: "from CSV; leave records alone that exist",
    },
    {
      line: "npx strongroom import people users.json --records users --id user_id",
      meaning: 'the list `users` inside of a JSON object: {"users":[…]}',
    },
    {
      line: 'psql -XAtc "SELECT row_to_json(p) FROM people p" | npx strongroom import people - --id id',
      meaning: "from a pipe; not through COPY, whose text format doubles every backslash",
    },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = "", path = "-"] = args;
    const { id, subject, onExisting, batch, retryFor, skipBad } = options;
    if (id === undefined) {
      throw new CliError("usage", {
        detail: "--id FIELD is needed: it names the field that holds each record's id.",
        remedy: `For example: strongroom import ${collection} ${path} --id id`,
      });
    }
    const job: ImportJob = {
      collection,
      source: {
        path,
        format: options.format ?? null,
        delimiter: options.delimiter ?? null,
        encoding: options.encoding ?? null,
        records: options.records ?? null,
        headings: options.nest ? "nested" : "literal",
      },
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
