// Reads every document of a collection, several at a time and in the order of their ids, and writes them. A file
// appears whole or not at all, so that an export that was interrupted is simply run again.
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { startProgress } from "@strongroom/base/terminal/progress";
import { mapInOrder } from "@strongroom/base/work";
import type { ServiceClient } from "../client/service-client.ts";
import type { CommandContext } from "../command/spec.ts";
import { CliError } from "../errors.ts";
import { type Field, fieldText, parseField, withField } from "../formats/field.ts";
import type { Format } from "../formats/format.ts";
import { isDocument } from "../formats/ndjson.ts";
import type { Document } from "../formats/record-source.ts";
import { openOutput } from "../terminal/output.ts";
import { WRITERS } from "./document-writers.ts";

/** Ids asked for at a time. */
const PAGE = 500;

/** What is exported and how. */
export interface ExportJob {
  readonly collection: string;
  /** A file, or "-" for standard output. */
  readonly path: string;
  readonly format: Format;
  /** The field that each record's id is written into, or null. */
  readonly idField: string | null;
  readonly subjectField: string | null;
  readonly formulas: "keep" | "escape";
  /** Records read at the same time. */
  readonly concurrency: number;
}

/** What an export did; the JSON result. */
interface ExportReport {
  exported: number;
  /** Records that were removed while the export ran. */
  vanished: number;
  /** Documents in which no field holds the record's id: importing them again would need it. */
  withoutId: number;
}

/**
 * Runs the export and prints its result. Throws `export-incomplete` at a record that is refused; nothing is written
 * then.
 */
export async function exportRecords(job: ExportJob, client: ServiceClient, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const { collection, path, format, formulas, concurrency } = job;
  const total = await countRecords(client, collection);
  const report: ExportReport = { exported: 0, vanished: 0, withoutId: 0 };
  const output = await openOutput(path, context);
  const progress = startProgress(terminal, { label: `export ${collection}`, total });
  try {
    const fields = { idField: parsedField(job.idField), subjectField: parsedField(job.subjectField) };
    const documents = readDocuments(client, collection, { ...fields, concurrency, signal }, report, () => {
      progress.update(report.exported, report.exported);
    });
    await WRITERS[format](documents, output, {
      folder: path === "-" ? tmpdir() : dirname(resolve(context.cwd, path)),
      formulas,
    });
    signal.throwIfAborted();
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  } finally {
    progress.stop();
  }
  if (path === "-") terminal.say(summary(job, report));
  else terminal.result({ collection, file: path, ...report }, () => summary(job, report));
}

async function countRecords(client: ServiceClient, collection: string): Promise<number> {
  const found = (await client.collections()).find((one) => one.collection === collection);
  if (found !== undefined) return found.records;
  const remedy = "strongroom list shows the collections.";
  throw new CliError("service-refused", {
    title: "There is no such collection",
    outcome: "absent",
    reportedCode: "collection-absent",
    remedy,
  });
}

function parsedField(name: string | null): Field | null {
  return name === null ? null : parseField(name);
}

function summary({ collection, path }: ExportJob, { exported, vanished, withoutId }: ExportReport): string {
  return [
    `${exported.toLocaleString("en")} records of ${collection} exported${path === "-" ? "" : ` to ${path}`}`,
    ...(vanished > 0 ? [`${vanished.toLocaleString("en")} were removed while the export ran`] : []),
    ...(withoutId > 0
      ? [`${withoutId.toLocaleString("en")} documents do not hold their own id; --id FIELD writes it into a field`]
      : []),
  ].join("\n");
}

/** How documents are read. */
interface ReadJob {
  readonly idField: Field | null;
  readonly subjectField: Field | null;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** The collection's documents in the order of their ids, several read at a time. */
async function* readDocuments(
  client: ServiceClient,
  collection: string,
  job: ReadJob,
  report: ExportReport,
  onRecord: () => void,
): AsyncGenerator<Document> {
  const read = (id: string): Promise<Document | null> => readDocument(client, collection, id, job, report);
  for await (const document of mapInOrder(allIds(client, collection), job.concurrency, read)) {
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

async function readDocument(
  client: ServiceClient,
  collection: string,
  id: string,
  job: ReadJob,
  report: ExportReport,
): Promise<Document | null> {
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
  if (!isDocument(document))
    throw new CliError("service-unintelligible", { detail: "A document is not a JSON object." });
  if (
    job.idField === null &&
    !Object.values(document).some((value) => value === id || (typeof value === "number" && String(value) === id))
  )
    report.withoutId++;
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
  return new CliError("export-incomplete", {
    detail: `Record ${id}: ${error.title}.`,
    reportedCode: error.reportedCode,
    cause: error,
  });
}
