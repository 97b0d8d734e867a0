// `strongroom export`: every document of a collection as NDJSON or CSV. A file appears whole, mode 0600, or not at all, so that the same
// command can simply be run again.
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { openClient } from "../client/open.ts";
import type { ServiceClient } from "../client/service-client.ts";
import { given, oneOf, text, wholeNumberOr } from "../command/option-types.ts";
import { command, option } from "../command/spec.ts";
import { CliError } from "../errors.ts";
import { ColumnCollector } from "../formats/columns.ts";
import { csvHeading, csvRow } from "../formats/csv.ts";
import { type Field, fieldText, parseField, withField } from "../formats/field.ts";
import { chooseFormat, type Format, FORMATS } from "../formats/format.ts";
import { isDocument, ndjsonLine } from "../formats/ndjson.ts";
import type { Document } from "../formats/record-source.ts";
import { openSpool } from "../formats/spool.ts";
import { openOutput, type Output } from "../terminal/output.ts";
import { startProgress } from "../terminal/progress.ts";
import { inOrder } from "./in-order.ts";

/** Ids asked for at a time. */
const PAGE = 500;

/** What is exported and how. */
interface Job {
  readonly format: Format;
  readonly idField: Field | null;
  readonly subjectField: Field | null;
  readonly formulas: "keep" | "escape";
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** What an export did; the JSON result. */
interface ExportReport {
  exported: number;
  /** Records that were removed while the export ran. */
  vanished: number;
  /** Documents in which no field holds the record's id: importing them again would need it. */
  withoutId: number;
}

export const exportCommand = command({
  name: "export",
  args: "<collection> [file]",
  heading: "Moving data",
  summary: "write every document of a collection to a file (- or nothing: standard output)",
  description:
    "The file is made with mode 0600 and takes its name only when it is complete. Records come in the order of their ids.\n" +
    "CSV: nested objects become columns with dots, lists become JSON, and the columns' headings say what is a number;\n" +
    "strongroom import gives back equal documents.",
  flagGroups: ["client"],
  options: {
    format: option("--format <format>", "ndjson or csv (default: by the file's ending)", oneOf(FORMATS)),
    id: option("--id <field>", "write each record's id into this field, where the document has none", text()),
    subject: option("--subject <field>", "write each record's subject into this field, where the document has none", text()),
    concurrency: option("--concurrency <n>", "records read at the same time (default: 16)", wholeNumberOr(16, 1, 64)),
    escapeFormulas: option("--escape-formulas", "CSV: put ' before cells that a spreadsheet would run as a formula", given()),
  },
  examples: [
    { line: "npx strongroom export people people.ndjson", meaning: "one JSON object a line" },
    { line: "npx strongroom export people people.csv --id id", meaning: "as CSV, with the id as a column" },
    { line: "npx strongroom export people | jq -r .email", meaning: "to a pipe" },
  ],
  run: async (invocation) => {
    const { context, args, options } = invocation;
    const [collection = "", path = "-"] = args;
    const job: Job = {
      format: chooseFormat(options.format, path),
      idField: options.id === undefined ? null : parseField(options.id),
      subjectField: options.subject === undefined ? null : parseField(options.subject),
      formulas: options.escapeFormulas ? "escape" : "keep",
      concurrency: options.concurrency,
      signal: context.signal,
    };
    const client = await openClient(invocation);
    const total = (await client.collections()).find((one) => one.collection === collection)?.records;
    if (total === undefined) {
      throw new CliError("service-refused", { title: "There is no such collection", outcome: "absent", reportedCode: "collection-absent", remedy: "strongroom list shows the collections." });
    }
    const report: ExportReport = { exported: 0, vanished: 0, withoutId: 0 };
    const progress = startProgress(context.terminal, { label: `export ${collection}`, total });
    const output = await openOutput(path, context.terminal);
    try {
      const documents = readDocuments(client, collection, job, report, () => {
        progress.update(report.exported, report.exported);
      });
      await WRITERS[job.format](documents, output, { folder: path === "-" ? tmpdir() : dirname(path), formulas: job.formulas });
      context.signal.throwIfAborted();
      await output.commit();
    } catch (error) {
      await output.discard();
      throw error;
    } finally {
      progress.stop();
    }
    const notes = [
      `${report.exported.toLocaleString("en")} records of ${collection} exported${path === "-" ? "" : ` to ${path}`}`,
      ...(report.vanished > 0 ? [`${report.vanished} were removed while the export ran`] : []),
      ...(report.withoutId > 0 ? [`${report.withoutId} documents do not hold their own id; --id FIELD writes it into a field`] : []),
    ];
    if (path === "-") context.terminal.say(notes.join("\n"));
    else context.terminal.result({ collection, file: path, ...report }, () => notes.join("\n"));
  },
});

/** The collection's documents in the order of their ids, several read at a time. */
async function* readDocuments(client: ServiceClient, collection: string, job: Job, report: ExportReport, onRecord: () => void): AsyncGenerator<Document> {
  const read = (id: string): Promise<Document | null> => readDocument(client, collection, id, job, report);
  for await (const document of inOrder(allIds(client, collection), read, job.concurrency)) {
    job.signal.throwIfAborted();
    if (document === null) report.vanished++;
    else {
      report.exported++;
      yield document;
    }
    onRecord();
  }
}

async function* allIds(client: ServiceClient, collection: string): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await client.list(collection, { cursor, limit: PAGE });
    for (const { id } of page.items) yield id;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

async function readDocument(client: ServiceClient, collection: string, id: string, job: Job, report: ExportReport): Promise<Document | null> {
  let text: string;
  let subject: string | null;
  try {
    ({ text, subject } = await client.get(collection, id));
  } catch (error) {
    if (error instanceof CliError && error.outcome === "absent") return null;
    if (error instanceof CliError && error.outcome === "refused") throw refusedRecord(error, id);
    throw error;
  }
  const document: unknown = JSON.parse(text);
  if (!isDocument(document)) throw new CliError("service-unintelligible", { detail: "A document is not a JSON object." });
  if (job.idField === null && !Object.values(document).some((value) => value === id || (typeof value === "number" && String(value) === id))) report.withoutId++;
  const withId = job.idField === null ? document : added(document, job.idField, id, id);
  return job.subjectField === null ? withId : added(withId, job.subjectField, subject ?? id, id);
}

function added(document: Document, field: Field, value: string, id: string): Document {
  const result = withField(document, field, value);
  if (result !== null) return result;
  const held = fieldText(document, field);
  throw new CliError("usage", {
    detail: `The field ${field.join(".")} of record ${id} ${held.kind === "problem" ? held.reason : "already holds another value"}.`,
    remedy: "Choose a field that no document uses for something else.",
  });
}

/** One record that is refused ends the export: a file that silently lacks a person is worse than none. */
function refusedRecord(error: CliError, id: string): CliError {
  return new CliError("export-incomplete", { detail: `Record ${id}: ${error.title}.`, reportedCode: error.reportedCode, cause: error });
}

interface WriterOptions {
  /** Where a spool may lie: beside the output, so that it needs no other disk. */
  readonly folder: string;
  readonly formulas: "keep" | "escape";
}

type Writer = (documents: AsyncIterable<Document>, output: Output, options: WriterOptions) => Promise<void>;

const WRITERS: Readonly<Record<Format, Writer>> = {
  ndjson: async (documents, output) => {
    for await (const document of documents) await output.write(ndjsonLine(document));
  },
  csv: async (documents, output, { folder, formulas }) => {
    const collector = new ColumnCollector();
    const spool = await openSpool(folder);
    try {
      for await (const document of documents) {
        collector.add(document);
        await spool.add(ndjsonLine(document));
      }
      const columns = collector.columns();
      await output.write(csvHeading(columns));
      for await (const document of spool.documents()) await output.write(csvRow(document, columns, { formulas }));
    } finally {
      await spool.close();
    }
  },
};
