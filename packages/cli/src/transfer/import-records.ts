// Reads documents and stores them in batches. What is stored already and equal is left alone, so that an import that
// was interrupted is completed by the same command.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { OnExisting, ServiceClient } from "../client/service-client.ts";
import type { CommandContext } from "../command/spec.ts";
import { readCsv } from "../formats/csv.ts";
import { type Field, fieldText, parseField } from "../formats/field.ts";
import type { Format } from "../formats/format.ts";
import { readNdjson } from "../formats/ndjson.ts";
import { openInput, type SourceLine } from "../formats/record-source.ts";
import { finish, type ImportReport, newReport, stored, summary } from "./import-report.ts";
import { batchSender, type PendingItem } from "./send-batch.ts";

const READERS = { ndjson: readNdjson, csv: readCsv } as const;

/**
 * A batch is sent when it has so many bytes, however few its records: large documents must not add up past the
 * service's limit.
 */
const BATCH_BYTES = 3 * 1024 * 1024;

/** What is imported and how. */
export interface ImportJob {
  readonly collection: string;
  /** A file, or "-" for standard input. */
  readonly path: string;
  readonly format: Format;
  readonly idField: string;
  /** Null: the subject is the id. */
  readonly subjectField: string | null;
  readonly onExisting: OnExisting;
  /** Records of one batch. */
  readonly batch: number;
  readonly retryForMs: number;
  readonly onBad: "accept" | "fail";
}

/**
 * Runs the import and prints its result. Throws `input-has-bad-lines`, and whatever ended it early; the same job can
 * then be run again.
 */
export async function importRecords(job: ImportJob, client: ServiceClient, context: CommandContext): Promise<void> {
  const { collection, onExisting, retryForMs } = job;
  const { terminal, signal } = context;
  const input = await openInput(job.path, context);
  const progress = startProgress(terminal, { label: `import ${collection}`, total: input.total });
  const report = newReport(collection);
  const send = batchSender({ client, report, onExisting, retryForMs, signal });
  try {
    for await (const batch of batches(READERS[job.format](input.chunks), job, report)) {
      await send(batch);
      progress.update(input.read(), stored(report));
    }
  } catch (error) {
    progress.stop();
    if (stored(report) > 0)
      terminal.say(`${summary(report, terminal)}\nIt ended early; the same command completes it.`);
    throw error;
  }
  progress.stop();
  finish(report, terminal, job.onBad);
}

/** Groups the good lines; bad ones are noted in the report. */
async function* batches(
  lines: AsyncIterable<SourceLine>,
  job: ImportJob,
  report: ImportReport,
): AsyncGenerator<readonly PendingItem[]> {
  const fields: Fields = {
    id: parseField(job.idField),
    subject: job.subjectField === null ? null : parseField(job.subjectField),
  };
  let batch: PendingItem[] = [];
  let bytes = 0;
  for await (const line of lines) {
    const pending = accept(line, fields, report);
    if (pending === null) continue;
    batch.push(pending);
    bytes += JSON.stringify(pending.item).length;
    if (batch.length < job.batch && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

interface Fields {
  readonly id: Field;
  readonly subject: Field | null;
}

/** Takes a line as an item of a batch, or notes why not. */
function accept(line: SourceLine, fields: Fields, report: ImportReport): PendingItem | null {
  report.read++;
  const refuse = (reason: string): null => {
    report.bad.push({ line: line.line, reason });
    return null;
  };
  if (line.kind === "bad") return refuse(line.reason);
  const id = fieldText(line.document, fields.id);
  if (id.kind === "problem") return refuse(`the id field ${id.reason}`);
  const subject = fields.subject === null ? null : fieldText(line.document, fields.subject);
  if (subject?.kind === "problem") return refuse(`the subject field ${subject.reason}`);
  return {
    line: line.line,
    item: { id: id.text, ...(subject === null ? {} : { subject: subject.text }), document: line.document },
  };
}
