// Reads documents and stores them in batches, and tells what came of it. What is stored already and equal is left
// alone, so that an import that was interrupted is completed by the same command.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { printableCopy } from "@strongroom/base/terminal";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Client, OnExisting } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { CliError } from "../errors.ts";
import { parseField } from "../formats/document.ts";
import type { SourceRecord } from "../formats/format.ts";
import { type OpenedFile, type OpenOptions, openRecords } from "../formats/open.ts";
import type { TypedValues } from "../formats/typed-value-names.ts";
import { openInput } from "../input-output.ts";
import { requireField } from "../formats/missing-field.ts";
import { BatchSize } from "./batch-size.ts";
import { type FieldChoice, fieldFilter } from "./fields.ts";
import { mergeSender, type OnConflict } from "./merge.ts";
import { fieldNames } from "./named-fields.ts";
import { type IdJob, type OpenedIds, openIds } from "./open-ids.ts";
import { finish, newReport, settled, stored, summary } from "./report.ts";
import { batchSender, type PendingItem, type Sender, type SenderOptions } from "./send-batch.ts";
import { recordTaker, type RecordTaker } from "./take-record.ts";
import { unwrapRecords } from "./unwrap-records.ts";

/**
 * A batch is sent when it has so many bytes, however few its records: large documents must not add up past the
 * service's limit.
 */
const BATCH_BYTES = 3 * 1024 * 1024;

/** What is done with a record that is there already. */
export type WriteMode =
  | { readonly kind: "put"; readonly onExisting: OnExisting }
  | { readonly kind: "merge"; readonly onConflict: OnConflict };

/** What is imported and how. */
export interface ImportJob {
  readonly collection: string;
  /** The file, or "-" for standard input, and what was said of it. */
  readonly source: Omit<OpenOptions, "idField">;
  /** Whose typed values are taken out of their wrapping; null: the documents are as they stand. */
  readonly unwrap: TypedValues | null;
  readonly ids: IdJob;
  /** As this machine's configuration declares the collection: of sealed ids it does not matter what they look like. */
  readonly idsAre: "public" | "sealed";
  /** Null: as it is; of a new record as its collection declares. */
  readonly subjectField: string | null;
  readonly fields: FieldChoice;
  readonly write: WriteMode;
  /** Most records of one batch. */
  readonly batch: number;
  readonly retryForMs: number;
  readonly onBad: "accept" | "fail";
}

/**
 * Runs the import and prints its result. Throws `input-empty`, `input-has-bad-lines`, and whatever ended it early; the
 * same job can then be run again.
 */
export async function importRecords(job: ImportJob, client: Client, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const total = await countRecords(job, context);
  const file = await openFile(job, context);
  for (const note of file.notes) terminal.say(note);
  const names = fieldNames(file.columns);
  const filter = fieldFilter(job.fields, names);
  const subject = job.subjectField === null ? null : names.one("subject", job.subjectField);
  const ids = await openIds(job.ids, names, context);
  const records = [...ids.fields, ...(subject === null ? [] : [subject])].reduce<AsyncIterable<SourceRecord>>(
    requireField,
    unwrapRecords(file.records, job.unwrap, terminal),
  );
  const report = newReport(job.collection, file.format.unit);
  const taker = recordTaker({ ids, idsAre: job.idsAre, subject: subject?.field ?? null, filter }, report);
  const send = sender(job, ids, { client, report, retryForMs: job.retryForMs, signal });
  const size = new BatchSize(job.batch);
  const progress = startProgress(terminal, { label: `import ${job.collection}`, total });
  let sending = false;
  try {
    for await (const batch of batches(records, taker, () => size.current)) {
      await ids.keep();
      const begun = performance.now();
      sending = true;
      const { strained } = await send(batch);
      sending = false;
      size.answered(performance.now() - begun, { strained });
      progress.update(settled(report), stored(report));
    }
  } catch (error) {
    progress.stop();
    if (stored(report) > 0)
      terminal.say(`${summary(printableCopy(report), terminal)}\nIt ended early; the same command completes it.`);
    // A request that got no answer may have been carried out.
    else if (!sending) terminal.say("Nothing was stored.");
    throw error;
  } finally {
    await ids.close();
  }
  progress.stop();
  if (report.read === 0) throw new CliError("input-empty", { detail: `${file.format.title} without a record.` });
  finish(report, { ...taker.remarks(), idsFile: ids.file }, { terminal, onBad: job.onBad });
}

async function openFile({ source, ids }: ImportJob, context: CommandContext): Promise<OpenedFile> {
  const { chunks } = await openInput(source.path, context);
  const idField = ids.choice.kind === "field" ? parseField(ids.choice.field) : null;
  return openRecords(chunks, { ...source, idField });
}

/**
 * How many records there are, read once beforehand, so that the bar moves with records: of its bytes a file is read
 * far ahead of what is stored. Null where nobody sees a bar, of a pipe, and where the import will say what is wrong.
 */
async function countRecords(job: ImportJob, context: CommandContext): Promise<number | null> {
  const { terminal, cwd, signal } = context;
  if (job.source.path === "-" || !terminal.stderr.isTTY || terminal.mode === "json") return null;
  // A pipe may have a name, and what is read of it is gone.
  const isFile = await stat(resolve(cwd, job.source.path)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) return null;
  try {
    let count = 0;
    for await (const { position } of (await openFile(job, context)).records) if (position > 0) count++;
    return count;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

function sender({ write }: ImportJob, { kind, fields }: OpenedIds, options: SenderOptions): Sender {
  if (write.kind === "put") return batchSender(write.onExisting, options);
  const idField = kind === "field" ? (fields[0]?.field ?? null) : null;
  return mergeSender({ onConflict: write.onConflict, idField }, options);
}

/** Groups the good records, as many as `size` says when a batch begins to be full; bad ones are in the report. */
async function* batches(
  records: AsyncIterable<SourceRecord>,
  taker: RecordTaker,
  size: () => number,
): AsyncGenerator<readonly PendingItem[]> {
  let batch: PendingItem[] = [];
  let bytes = 0;
  for await (const record of records) {
    const taken = taker.take(record);
    if (taken === null) continue;
    batch.push(taken.pending);
    bytes += taken.bytes;
    if (batch.length < size() && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
