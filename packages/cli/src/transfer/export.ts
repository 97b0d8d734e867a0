// Reads every document of a collection, several at a time and in the order of their ids, and writes them. A file
// appears whole or not at all, so that an export that was interrupted is simply run again. All its reads are one export
// in the audit, and its end is told there; one that was killed has none.
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { startProgress } from "@strongroom/base/terminal/progress";
import { mapInOrder } from "@strongroom/base/work";
import {
  type Client,
  type ClientError,
  type Damaged,
  isClientError,
  type ListedRecord,
  type Listing,
} from "@strongroom/client";
import { type CommandContext, damageLines } from "../command.ts";
import { CliError } from "../errors.ts";
import { type Document, type Field, fieldText, type Format, parseField, withField } from "../formats/document.ts";
import { type ExportedRecord, WRITERS } from "../formats/writers.ts";
import { openOutput } from "../input-output.ts";

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
  /** Tells of the end when the command's own client has ended; left out: by that. */
  readonly tellEnd?: Client["audit"]["endExport"] | undefined;
}

/** What an export did; the JSON result. */
interface ExportReport {
  /** Names it in the audit. */
  readonly export: string;
  exported: number;
  /** Records that were removed while the export ran. */
  vanished: number;
  /** Documents in which no field holds the record's id: importing them again would need it. */
  withoutId: number;
  /** Records that are not as they were stored, and are not in the file. */
  refused: Damaged[];
}

/**
 * Runs the export and prints its result. Records that are refused stop none of the others; then it throws
 * `export-incomplete`, which names them: a file that silently lacks a person is worse than none.
 */
export async function exportRecords(job: ExportJob, client: Client, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const { collection, path, format, formulas, concurrency } = job;
  const total = await countRecords(client, collection);
  const report: ExportReport = { export: randomUUID(), exported: 0, vanished: 0, withoutId: 0, refused: [] };
  const output = await openOutput(path, context);
  const progress = startProgress(terminal, { label: `export ${collection}`, total });
  try {
    const fields = { idField: parsedField(job.idField), subjectField: parsedField(job.subjectField) };
    const records = readDocuments(client, collection, { ...fields, concurrency, signal }, report, () => {
      progress.update(report.exported, report.exported);
    });
    await WRITERS[format](records, output, {
      folder: output.kind === "replaced" ? dirname(resolve(context.cwd, path)) : tmpdir(),
      formulas,
    });
    signal.throwIfAborted();
    await output.commit();
    await client.audit.endExport(report.export, { collection, outcome: "complete", records: report.exported });
  } catch (error) {
    await output.discard();
    await tellInterrupted(job, client, report);
    throw isClientError(error) && error.reportedCode === "approval-missing" ? unapproved(collection, error) : error;
  } finally {
    progress.stop();
  }
  if (path === "-") terminal.say(summary(job, report));
  else terminal.result({ collection, file: path, ...report }, () => summary(job, report));
  if (report.refused.length > 0)
    throw new CliError("export-incomplete", {
      detail: `${report.refused.length} of them:`,
      problems: damageLines(report.refused),
    });
}

/** Ctrl-C has ended the calls of the command's own client: this one is made all the same. */
async function tellInterrupted(
  { collection, tellEnd }: ExportJob,
  client: Client,
  report: ExportReport,
): Promise<void> {
  const end = { collection, outcome: "interrupted", records: report.exported } as const;
  await (tellEnd ?? client.audit.endExport)(report.export, end).catch(() => undefined);
}

/** What is to be typed by the one, and by the other. */
function unapproved(collection: string, { title, outcome, reportedCode, cause }: ClientError): CliError {
  return new CliError("service-refused", {
    ...{ title, outcome, reportedCode, cause },
    remedy:
      `One asks for it: strongroom approvals request ${collection} --action export. Another one, with a token of ` +
      `their own: strongroom approvals approve ${collection} --action export. Then export it again.`,
  });
}

async function countRecords(client: Client, collection: string): Promise<number> {
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
  const count = (value: number, one: string, several: string): string =>
    `${value.toLocaleString("en")} ${value === 1 ? one : several}`;
  const place = path === "-" ? "" : ` to ${path}`;
  const without = count(withoutId, "document does not hold its own id", "documents do not hold their own id");
  return [
    `${count(exported, "record", "records")} of ${collection} exported${place}`,
    ...(vanished > 0 ? [`${count(vanished, "was", "were")} removed while the export ran`] : []),
    ...(withoutId > 0 ? [`${without}; --id FIELD writes it into a field`] : []),
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
  client: Client,
  collection: string,
  job: ReadJob,
  report: ExportReport,
  onRecord: () => void,
): AsyncGenerator<ExportedRecord> {
  const read = async ({ id }: ListedRecord): Promise<ExportedRecord | "vanished" | "refused"> => {
    const document = await readDocument(client, collection, id, job, report);
    return typeof document === "string" ? document : { id, document };
  };
  const listed = soundRecords(client.records.list(collection, { export: report.export }), report);
  for await (const record of mapInOrder(listed, job.concurrency, read)) {
    job.signal.throwIfAborted();
    if (record === "vanished") report.vanished++;
    else if (record !== "refused") {
      report.exported++;
      yield record;
    }
    onRecord();
  }
}

/** The records that can be asked for; those that cannot are noted in the report. */
async function* soundRecords(listing: Listing<ListedRecord>, report: ExportReport): AsyncGenerator<ListedRecord> {
  for await (const page of listing.pages()) {
    for (const one of page.damaged ?? []) report.refused.push(one);
    yield* page.items;
  }
}

async function readDocument(
  client: Client,
  collection: string,
  id: string,
  job: ReadJob,
  report: ExportReport,
): Promise<Document | "vanished" | "refused"> {
  let document: Document;
  let subject: string | null;
  try {
    ({ document, subject } = await client.records.get(collection, id, { export: report.export }));
  } catch (error) {
    if (isClientError(error) && error.outcome === "absent") return "vanished";
    if (!isClientError(error) || !isAboutOneRecord(error)) throw error;
    report.refused.push({ id, code: error.reportedCode });
    return "refused";
  }
  if (
    job.idField === null &&
    !Object.values(document).some((value) => value === id || (typeof value === "number" && String(value) === id))
  )
    report.withoutId++;
  const withId = job.idField === null ? document : added(document, job.idField, id, id);
  return job.subjectField === null || subject === null ? withId : added(withId, job.subjectField, subject, id);
}

function added(document: Document, field: Field, value: string, id: string): Document {
  const result = withField(document, field, value);
  if (result !== null) return result;
  const held = fieldText(document, field);
  const reason = held.kind === "problem" ? held.reason : "already holds another value";
  throw new CliError("usage", {
    detail: `The field ${field.join(".")} of record ${id} ${reason}.`,
    remedy: "Choose a field that no document uses for something else.",
  });
}

/** Codes that say that one stored record cannot be given, and nothing of the others or of the store. */
const ABOUT_ONE_RECORD =
  /^(?:record-(?:moved|rolled-back|tampered)|stored-document-invalid$|key-not-configured$|subject-(?:restr|name|key))/;

function isAboutOneRecord({ reportedCode }: ClientError): boolean {
  return ABOUT_ONE_RECORD.test(reportedCode);
}
