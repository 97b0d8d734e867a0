// Reads documents and stores them in batches, and tells what came of it. What is stored already and equal is left
// alone, so that an import that was interrupted is completed by the same command.
import type { Terminal } from "@strongroom/base/terminal";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Client, OnExisting } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { CliError } from "../errors.ts";
import { type Field, fieldText, parseField } from "../formats/document.ts";
import { requireField, resolveField } from "../formats/missing-field.ts";
import type { PositionUnit, SourceRecord } from "../formats/format.ts";
import { type OpenOptions, openRecords } from "../formats/open.ts";
import { openInput } from "../input-output.ts";
import { batchSender, type ImportReport, type PendingItem } from "./send-batch.ts";

/**
 * A batch is sent when it has so many bytes, however few its records: large documents must not add up past the
 * service's limit.
 */
const BATCH_BYTES = 3 * 1024 * 1024;

/** What is imported and how. */
export interface ImportJob {
  readonly collection: string;
  /** The file, or "-" for standard input, and what was said of it. */
  readonly source: Omit<OpenOptions, "idField">;
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
export async function importRecords(job: ImportJob, client: Client, context: CommandContext): Promise<void> {
  const { collection, onExisting, retryForMs } = job;
  const { terminal, signal } = context;
  const input = await openInput(job.source.path, context);
  const file = await openRecords(input.chunks, { ...job.source, idField: parseField(job.idField) });
  for (const note of file.notes) terminal.say(note);
  const id = resolveField("id", job.idField, file.columns);
  const subject = job.subjectField === null ? null : resolveField("subject", job.subjectField, file.columns);
  const withIds = requireField(file.records, id);
  const records = subject === null ? withIds : requireField(withIds, subject);
  const fields = { id: id.field, subject: subject?.field ?? null };
  const progress = startProgress(terminal, { label: `import ${collection}`, total: input.total });
  const report = newReport(collection, file.format.unit);
  const send = batchSender({ client, report, onExisting, retryForMs, signal });
  try {
    for await (const batch of batches(records, fields, job, report)) {
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

/** Groups the good records; bad ones are noted in the report. */
async function* batches(
  records: AsyncIterable<SourceRecord>,
  fields: Fields,
  job: ImportJob,
  report: ImportReport,
): AsyncGenerator<readonly PendingItem[]> {
  let batch: PendingItem[] = [];
  let bytes = 0;
  for await (const record of records) {
    const pending = accept(record, fields, report);
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

/** Takes a record as an item of a batch, or notes why not. */
function accept(record: SourceRecord, fields: Fields, report: ImportReport): PendingItem | null {
  report.read++;
  const refuse = (reason: string): null => {
    report.bad.push({ position: record.position, reason });
    return null;
  };
  if (record.kind === "bad") return refuse(record.reason);
  const id = fieldText(record.document, fields.id);
  if (id.kind === "problem") return refuse(`the id field ${id.reason}`);
  const subject = fields.subject === null ? null : fieldText(record.document, fields.subject);
  if (subject?.kind === "problem") return refuse(`the subject field ${subject.reason}`);
  return {
    position: record.position,
    item: { id: id.text, ...(subject === null ? {} : { subject: subject.text }), document: record.document },
  };
}

/** Bad records that are named one by one for a person; the rest is counted. JSON output names all. */
const NAMED_BAD_RECORDS = 20;

/** The report of an import that has not begun. */
function newReport(collection: string, unit: PositionUnit): ImportReport {
  return { collection, unit, read: 0, created: 0, replaced: 0, unchanged: 0, kept: 0, missingWraps: {}, bad: [] };
}

/** Records that are in the collection now, whether this run wrote them or found them. */
function stored({ created, replaced, unchanged, kept }: Omit<ImportReport, "unit">): number {
  return created + replaced + unchanged + kept;
}

/** Prints the result; with bad records, throws `input-has-bad-lines` unless they were accepted beforehand. */
function finish({ unit, ...report }: ImportReport, terminal: Terminal, onBad: "accept" | "fail"): void {
  const bad = report.bad.sort((one, other) => one.position - other.position);
  terminal.result(
    { ...report, bad: bad.map(({ position, reason }) => ({ [unit]: position, reason })), stored: stored(report) },
    () => summary(report, terminal),
  );
  if (bad.length === 0) return;
  const named = bad.slice(0, NAMED_BAD_RECORDS).map(({ position, reason }) => `${unit} ${position}: ${reason}`);
  const rest = bad.length - named.length;
  const problems = rest > 0 ? [...named, `and ${rest} more; --json names them all`] : named;
  const share = `${bad.length} of ${report.read} ${unit}s`;
  if (onBad === "fail") throw new CliError("input-has-bad-lines", { detail: `${share}:`, problems });
  terminal.say([`${share} were skipped:`, ...problems.map((problem) => `  - ${problem}`)].join("\n"));
}

/** The result in one or two lines. */
function summary(report: Omit<ImportReport, "unit">, terminal: Terminal): string {
  const count = (value: number): string => value.toLocaleString("en");
  const parts = (["created", "replaced", "unchanged", "kept"] as const)
    .filter((outcome) => report[outcome] > 0)
    .map((outcome) => `${count(report[outcome])} ${outcome}`);
  const of = `${count(stored(report))} of ${count(report.read)} records are in ${report.collection}`;
  const missing = Object.entries(report.missingWraps).map(([region, items]) => `${count(items)} in ${region}`);
  const first = `${terminal.style("bold", of)}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
  return missing.length === 0
    ? first
    : `${first}\n${terminal.style("yellow", `wraps still missing: ${missing.join(", ")}`)}`;
}
