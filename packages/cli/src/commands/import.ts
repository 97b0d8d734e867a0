// `strongroom import`: the records of a file into a collection. Running the same command again after an
// interruption completes it.
import { given, oneOf, repeatedOption, text, wholeNumberOr } from "@strongroom/base/command";
import { z } from "zod";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { WHY_OPTIONS } from "./audit-options.ts";
import { CliError } from "../errors.ts";
import { INPUT_FORMAT_NAMES } from "../formats/names.ts";
import { TYPED_VALUES } from "../formats/typed-value-names.ts";
import type { FieldChoice } from "../transfer/fields.ts";
import type { IdChoice } from "../transfer/ids.ts";
import type { ImportJob, WriteMode } from "../transfer/import.ts";

const texts = z.array(z.string().min(1, "must not be empty")).optional();

/** `strongroom import`. */
export const importCommand: CommandSpec = command({
  name: "import",
  args: "<collection> <file>",
  heading: "Moving data",
  summary: "store every record of a file (- reads standard input)",
  description:
    "Runs in batches. After an interruption run the same command again: records that are there with an equal\n" +
    "document are left alone, so nothing is stored twice. Lines that cannot be imported are reported by number, the\n" +
    "others are stored, and the exit code is 1. A file without a record is refused (exit code 2).\n" +
    "What a file is shows in its first bytes: format, delimiter and encoding, gzip and zstd too. What is not taken\n" +
    "is refused before anything is stored, with what to do instead. More: docs/files.md\n" +
    "An id is stored in clear: where a file has none that says nothing of a person, --id-from or --new-ids makes\n" +
    "one. Ids, merging, and recipes for exports of other programs: docs/importing.md",
  flagGroups: ["client"],
  options: {
    id: option("--id <field>", "field that holds each record's id (a dot goes into nested objects)", text()),
    idFrom: option(
      "--id-from <fields>",
      "make each id of these fields (email, or given,family,born), by a hash under the installation's key: a second " +
        "import of the same people finds the same ids",
      text(),
    ),
    newIds: option("--new-ids", "give each record a random id, and remember it in the file of --ids-file", given()),
    idsFile: option(
      "--ids-file <file>",
      "with --new-ids: where it stands which record got which id (default: beside the input, FILE.ids.csv)",
      text(),
    ),
    idKeyFile: option(
      "--id-key-file <file>",
      "the key of --id-from and --new-ids, at least 32 bytes (default: ids.key in the data folder, made when needed)",
      text(),
    ),
    subject: option(
      "--subject <field>",
      "field that names the person a record is about (default: as it is; of a new record as its collection declares)",
      text(),
    ),
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
    sheet: option("--sheet <name>", "xlsx: which sheet (default: the only one that has rows)", text()),
    unwrap: option(
      "--unwrap <database>",
      "take typed values out of their wrapping: dynamodb, mongodb",
      oneOf(TYPED_VALUES),
    ),
    drop: repeatedOption("--drop <fields>", "leave these fields out, also inside of lists (may be repeated)", texts),
    only: repeatedOption("--only <fields>", "import these fields alone (may be repeated)", texts),
    onExisting: option(
      "--on-existing <what>",
      "compare: leave equal documents alone, others become a new version; keep: leave all that exists; replace: " +
        "always a new version (default: compare)",
      oneOf(["compare", "keep", "replace"]),
    ),
    merge: option(
      "--merge",
      "add what a record does not have yet, object by object, and leave the rest of it as it is (needs the scope read)",
      given(),
    ),
    onConflict: option(
      "--on-conflict <what>",
      "with --merge, where both have a value: refuse the record, or take that of stored or file; the fields are " +
        "named (default: refuse)",
      oneOf(["refuse", "stored", "file"]),
    ),
    batch: option(
      "--batch <n>",
      "most records sent at a time; fewer while the service is slow (default: 100)",
      wholeNumberOr(100, 1, 1000),
    ),
    retryFor: option(
      "--retry-for <seconds>",
      "keep trying this long when the service or too many regions are away (default: 30)",
      wholeNumberOr(30, 0, 86_400),
    ),
    skipBad: option("--skip-bad", "exit 0 although some lines could not be imported", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    {
      line: "npx strongroom import people people.ndjson --id id",
      meaning: "store a file, one JSON object a line, its field `id` naming each record",
    },
    {
      line: "npx strongroom import members members.xlsx --id-from email --on-existing keep",
      meaning: "from a workbook; ids by a keyed hash of the address, records alone that exist",
    },
    {
      line: "npx strongroom import people addresses.csv --id-from email --merge",
      meaning: "a second file about the same people",
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
  run: withService(async (client, { loaded, context, args, options }) => {
    const [collection = "", path = "-"] = args;
    const { batch, retryFor, skipBad } = options;
    const job: ImportJob = {
      collection,
      source: {
        path,
        format: options.format ?? null,
        delimiter: options.delimiter ?? null,
        encoding: options.encoding ?? null,
        records: options.records ?? null,
        sheet: options.sheet ?? null,
        headings: options.nest ? "nested" : "literal",
      },
      unwrap: options.unwrap ?? null,
      ids: {
        choice: chooseIds(options, { collection, path }),
        keyFile: options.idKeyFile ?? null,
        dataDir: loaded.config.dataDir,
      },
      idsAre: loaded.config.collections[collection]?.ids ?? "public",
      subjectField: options.subject ?? null,
      fields: chooseFields(options),
      write: chooseWrite(options),
      batch,
      retryForMs: retryFor * 1000,
      onBad: skipBad ? "accept" : "fail",
    };
    const { importRecords } = await import("../transfer/import.ts");
    await importRecords(job, client, context);
  }),
});

/** Options as they were given, those that were not being undefined. */
interface Given {
  readonly id: string | undefined;
  readonly idFrom: string | undefined;
  readonly newIds: boolean;
  readonly idsFile: string | undefined;
  readonly idKeyFile: string | undefined;
  readonly drop: readonly string[] | undefined;
  readonly only: readonly string[] | undefined;
  readonly onExisting: "compare" | "keep" | "replace" | undefined;
  readonly merge: boolean;
  readonly onConflict: "refuse" | "stored" | "file" | undefined;
}

function chooseIds(
  given: Given,
  { collection, path }: { readonly collection: string; readonly path: string },
): IdChoice {
  const choices: IdChoice[] = [
    ...(given.id === undefined ? [] : [{ kind: "field", field: given.id } as const]),
    ...(given.idFrom === undefined ? [] : [{ kind: "derived", fields: given.idFrom } as const]),
    ...(given.newIds
      ? [{ kind: "new", idsFile: given.idsFile ?? `${path === "-" ? collection : path}.ids.csv` } as const]
      : []),
  ];
  const [choice] = choices;
  if (choice === undefined || choices.length > 1)
    throw new CliError("usage", {
      detail: "Every record needs an id: --id FIELD, --id-from FIELD or --new-ids, one of them.",
      remedy:
        `For example: strongroom import ${collection} ${path} --id id. Where no field holds one that says nothing of ` +
        "the person, --id-from email makes it of one that tells people apart.",
    });
  if (given.idsFile !== undefined && choice.kind !== "new") throw belongsTo("--ids-file", "--new-ids");
  if (given.idKeyFile !== undefined && choice.kind === "field")
    throw belongsTo("--id-key-file", "--id-from or --new-ids");
  return choice;
}

function chooseFields({ drop, only }: Given): FieldChoice {
  if (drop !== undefined && only !== undefined)
    throw new CliError("usage", { detail: "--drop and --only exclude each other." });
  if (drop !== undefined) return { kind: "drop", fields: drop };
  return only === undefined ? null : { kind: "only", fields: only };
}

function chooseWrite({ merge, onConflict, onExisting }: Given): WriteMode {
  if (!merge && onConflict !== undefined) throw belongsTo("--on-conflict", "--merge");
  if (merge && onExisting !== undefined)
    throw new CliError("usage", { detail: "--merge and --on-existing exclude each other." });
  return merge
    ? { kind: "merge", onConflict: onConflict ?? "refuse" }
    : { kind: "put", onExisting: onExisting ?? "compare" };
}

function belongsTo(option: string, other: string): CliError {
  return new CliError("usage", { detail: `${option} is given without ${other}.` });
}
