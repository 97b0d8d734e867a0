// `strongroom export`: every document of a collection as NDJSON or CSV.
import { given, oneOf, text, wholeNumberOr } from "@strongroom/base/command";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { clientOf, findConnection } from "../connection.ts";
import { WHY_OPTIONS } from "./audit-options.ts";
import { chooseFormat, FORMATS } from "../formats/document.ts";
import type { ExportJob } from "../transfer/export.ts";

/** Longest wait for the service to take that an export was interrupted, in milliseconds. */
const TELL_MS = 2000;

/** `strongroom export`. */
export const exportCommand: CommandSpec = command({
  name: "export",
  args: "<collection> [file]",
  heading: "Moving data",
  summary: "write every document of a collection to a file (- or nothing: standard output)",
  description:
    "The file is made with mode 0600 and takes its name only when it is complete; a device or a pipe is written " +
    "into. Records come in the order of " +
    "their ids.\n" +
    "CSV: nested objects become columns with dots, lists become JSON, and the headings say so: address.city:text,\n" +
    "age:number, tags:json. strongroom import gives back equal documents in both formats. A record that no table\n" +
    "can hold is named, and nothing is written.\n" +
    "With keys.fourEyes another principal approves it first: strongroom approvals request COLLECTION --action export.",
  flagGroups: ["client"],
  options: {
    format: option("--format <format>", "ndjson or csv (default: by the file's ending)", oneOf(FORMATS)),
    id: option("--id <field>", "write each record's id into this field, where the document has none", text()),
    subject: option(
      "--subject <field>",
      "write each record's subject into this field, where the document has none",
      text(),
    ),
    concurrency: option("--concurrency <n>", "records read at the same time (default: 16)", wholeNumberOr(16, 1, 64)),
    escapeFormulas: option(
      "--escape-formulas",
      "CSV: put ' before cells that a spreadsheet would run as a formula",
      given(),
    ),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom export people people.ndjson", meaning: "one JSON object a line" },
    { line: "npx strongroom export people people.csv --id id", meaning: "as CSV, with the id as a column" },
    { line: "npx strongroom export people | jq -r .email", meaning: "to a pipe" },
  ],
  run: withService(async (client, { context, loaded, args, options }) => {
    const [collection = "", path = "-"] = args;
    const job: ExportJob = {
      collection,
      path,
      format: chooseFormat(options.format, path),
      idField: options.id ?? null,
      subjectField: options.subject ?? null,
      formulas: options.escapeFormulas ? "escape" : "keep",
      concurrency: options.concurrency,
      tellEnd: async (id, end) => {
        const { purpose, ticket } = options;
        const signal = AbortSignal.timeout(TELL_MS);
        const connection = await findConnection(loaded, context.env);
        const patient = clientOf(connection, { timeoutMs: TELL_MS, signal, why: { purpose, ticket } });
        await patient.audit.endExport(id, end);
      },
    };
    const { exportRecords } = await import("../transfer/export.ts");
    await exportRecords(job, client, context);
  }),
});
