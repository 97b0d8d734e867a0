// Reads documents and stores them in batches, and tells what came of it. What is stored already and equal is left
// alone, so that an import that was interrupted is completed by the same command.
import { printable, printableCopy, type Terminal } from "@strongroom/base/terminal";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Client, OnExisting } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { CliError } from "../errors.ts";
import { readCsv } from "../formats/csv.ts";
import { type Field, fieldText, type Format, parseField, type SourceLine } from "../formats/document.ts";
import { openInput } from "../input-output.ts";
import { readNdjson } from "../formats/ndjson.ts";
import { looksPersonal, PERSONAL_ID_ADVICE } from "../personal-id.ts";
import { batchSender, type ImportReport, type PendingItem } from "./send-batch.ts";

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
export async function importRecords(job: ImportJob, client: Client, context: CommandContext): Promise<void> {
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
      terminal.say(`${summary(printableCopy(report), terminal)}\nIt ended early; the same command completes it.`);
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
  if (looksPersonal(id.text) || looksPersonal(subject?.text ?? "")) report.personalIds++;
  return {
    line: line.line,
    item: { id: id.text, ...(subject === null ? {} : { subject: subject.text }), document: line.document },
  };
}

/** Bad lines that are named one by one for a person; the rest is counted. JSON output names all. */
const NAMED_BAD_LINES = 20;

/** The report of an import that has not begun. */
function newReport(collection: string): ImportReport {
  return {
    collection,
    read: 0,
    created: 0,
    replaced: 0,
    unchanged: 0,
    kept: 0,
    missingWraps: {},
    personalIds: 0,
    bad: [],
  };
}

/** Records that are in the collection now, whether this run wrote them or found them. */
function stored({ created, replaced, unchanged, kept }: ImportReport): number {
  return created + replaced + unchanged + kept;
}

/** Prints the result; with bad lines, throws `input-has-bad-lines` unless they were accepted beforehand. */
function finish(report: ImportReport, terminal: Terminal, onBad: "accept" | "fail"): void {
  report.bad.sort((one, other) => one.line - other.line);
  const { personalIds, ...counted } = report;
  terminal.result({ ...counted, stored: stored(report), ...(personalIds > 0 && { personalIds }) }, () =>
    summary(printableCopy(report), terminal),
  );
  if (report.personalIds > 0)
    terminal.say(
      terminal.styleError(
        "yellow",
        `${report.personalIds.toLocaleString("en")} ids look like addresses or telephone numbers. ${PERSONAL_ID_ADVICE}`,
      ),
    );
  if (report.bad.length === 0) return;
  const named = report.bad.slice(0, NAMED_BAD_LINES).map(({ line, reason }) => `line ${line}: ${reason}`);
  const rest = report.bad.length - named.length;
  const problems = rest > 0 ? [...named, `and ${rest} more; --json names them all`] : named;
  if (onBad === "fail")
    throw new CliError("input-has-bad-lines", { detail: `${report.bad.length} of ${report.read} lines:`, problems });
  terminal.say(
    [
      `${report.bad.length} of ${report.read} lines were skipped:`,
      ...problems.map((problem) => `  - ${printable(problem)}`),
    ].join("\n"),
  );
}

/** The result in one or two lines. */
function summary(report: ImportReport, terminal: Terminal): string {
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
