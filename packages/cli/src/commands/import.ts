// `strongroom import`: documents from NDJSON or CSV into a collection, in batches. Running the same command again after an interruption
// completes it: what is stored already and equal is left alone.
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchResult } from "../client/answers.ts";
import type { BatchItem, OnExisting, ServiceClient } from "../client/service-client.ts";
import { openClient } from "../client/open.ts";
import { given, oneOf, oneOfOr, text, wholeNumberOr } from "../command/option-types.ts";
import { command, option } from "../command/spec.ts";
import { CliError } from "../errors.ts";
import { chooseFormat, FORMATS } from "../formats/format.ts";
import { readCsv } from "../formats/csv.ts";
import { readNdjson } from "../formats/ndjson.ts";
import { openInput, type SourceLine } from "../formats/record-source.ts";
import { type Field, fieldText, parseField } from "../formats/field.ts";
import { startProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

const READERS = { ndjson: readNdjson, csv: readCsv } as const;

/** A batch is sent when it has so many bytes, however few its records: large documents must not add up past the service's limit. */
const BATCH_BYTES = 3 * 1024 * 1024;
/** Bad lines that are named one by one for a person; the rest is counted. JSON output names all. */
const NAMED_BAD_LINES = 20;

/** A line that was not imported, and why. */
interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** What an import did; the JSON result. */
interface ImportReport {
  readonly collection: string;
  read: number;
  created: number;
  replaced: number;
  unchanged: number;
  kept: number;
  readonly bad: BadLine[];
}

interface Pending {
  readonly line: number;
  readonly item: BatchItem;
}

export const importCommand = command({
  name: "import",
  args: "<collection> <file>",
  heading: "Moving data",
  summary: "store every document of an NDJSON or CSV file (- reads standard input)",
  description:
    "Runs in batches. After an interruption run the same command again: records that are there with an equal document are left alone,\n" +
    "so nothing is stored twice. Lines that can not be imported are reported by number, the others are stored, and the exit code is 1.",
  flagGroups: ["client"],
  options: {
    id: option("--id <field>", "field that holds each record's id (required; a dot goes into nested objects)", text()),
    subject: option("--subject <field>", "field that names the person a record is about (default: the id)", text()),
    format: option("--format <format>", "ndjson or csv (default: by the file's ending)", oneOf(FORMATS)),
    onExisting: option(
      "--on-existing <what>",
      "compare: leave equal documents alone, others become a new version; keep: leave all that exists; replace: always a new version (default: compare)",
      oneOfOr("compare", ["compare", "keep", "replace"]),
    ),
    batch: option("--batch <n>", "records sent at a time (default: 100)", wholeNumberOr(100, 1, 1000)),
    retryFor: option("--retry-for <seconds>", "keep trying this long when the service or too many regions are away (default: 30)", wholeNumberOr(30, 0, 86_400)),
    skipBad: option("--skip-bad", "exit 0 although some lines could not be imported", given()),
  },
  examples: [
    { line: "npx strongroom import people people.ndjson --id id", meaning: "store a file, one JSON object a line, its field `id` naming each record" },
    { line: "npx strongroom import customers customers.csv --id email --on-existing keep", meaning: "from CSV; leave records alone that exist" },
    { line: "psql -c \"COPY (SELECT row_to_json(p) FROM people p) TO STDOUT\" | npx strongroom import people - --id id", meaning: "from a pipe" },
  ],
  run: async (invocation) => {
    const { context, args, options } = invocation;
    const [collection = "", path = "-"] = args;
    if (options.id === undefined) {
      throw new CliError("usage", { detail: "--id FIELD is needed: it names the field that holds each record's id.", remedy: `For example: strongroom import ${collection} ${path} --id id` });
    }
    const fields: Fields = { id: parseField(options.id), subject: options.subject === undefined ? null : parseField(options.subject) };
    const format = chooseFormat(options.format, path);
    const client = await openClient(invocation);
    const input = await openInput(path, context.terminal.stdin, context.signal);
    const progress = startProgress(context.terminal, { label: `import ${collection}`, total: input.total });
    const report: ImportReport = { collection, read: 0, created: 0, replaced: 0, unchanged: 0, kept: 0, bad: [] };
    const sender = batchSender({ client, report, onExisting: options.onExisting, retryForMs: options.retryFor * 1000, signal: context.signal });
    try {
      let batch: Pending[] = [];
      let bytes = 0;
      const flush = async (): Promise<void> => {
        if (batch.length > 0) await sender(batch);
        batch = [];
        bytes = 0;
        progress.update(input.read(), stored(report));
      };
      for await (const line of READERS[format](input.chunks)) {
        const pending = accept(line, fields, report);
        if (pending === null) continue;
        batch.push(pending);
        bytes += JSON.stringify(pending.item).length;
        if (batch.length >= options.batch || bytes >= BATCH_BYTES) await flush();
      }
      await flush();
    } catch (error) {
      progress.stop();
      if (stored(report) > 0) context.terminal.say(`${summary(report, context.terminal)}\nInterrupted; run the same command again to complete it.`);
      throw error;
    }
    progress.stop();
    finish(report, context.terminal, options.skipBad ? "accept-bad" : "fail-on-bad");
  },
});

interface Fields {
  readonly id: Field;
  readonly subject: Field | null;
}

/** Takes a line as an item of a batch, or notes why not. */
function accept(line: SourceLine, fields: Fields, report: ImportReport): Pending | null {
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
  return { line: line.line, item: { id: id.text, ...(subject === null ? {} : { subject: subject.text }), document: line.document } };
}

interface SenderOptions {
  readonly client: ServiceClient;
  readonly report: ImportReport;
  readonly onExisting: OnExisting;
  readonly retryForMs: number;
  readonly signal: AbortSignal;
}

/** Sends a batch and adds its results to the report. An id that stands on two lines is stored once: the second line is bad. */
function batchSender({ client, report, onExisting, retryForMs, signal }: SenderOptions): (batch: readonly Pending[]) => Promise<void> {
  const firstLines = new Map<string, number>();
  return async (batch) => {
    const fresh = batch.filter(({ line, item }) => {
      const first = firstLines.get(item.id);
      if (first === undefined) firstLines.set(item.id, line);
      else report.bad.push({ line, reason: `has the same id as line ${first}` });
      return first === undefined;
    });
    if (fresh.length === 0) return;
    const items = fresh.map(({ item }) => item);
    const send = (): Promise<readonly BatchResult[]> => client.putMany(report.collection, items, onExisting);
    const results = await withRetries(send, { onExisting, retryForMs, signal });
    results.forEach((result, index) => {
      if (result.outcome === "refused") report.bad.push({ line: fresh[index]?.line ?? 0, reason: `refused by the service [${result.code ?? "unknown"}]` });
      else report[result.outcome]++;
    });
  };
}

/**
 * Tries again while the service or too many regions are away. With `replace` a batch is not sent twice unless the service said
 * that nothing was stored: the first may have been, and each sending makes new versions.
 */
async function withRetries<Result>(
  send: () => Promise<Result>,
  { onExisting, retryForMs, signal }: { readonly onExisting: OnExisting; readonly retryForMs: number; readonly signal: AbortSignal },
): Promise<Result> {
  const giveUpAt = performance.now() + retryForMs;
  for (let delay = 250; ; delay = Math.min(delay * 2, 4000)) {
    try {
      return await send();
    } catch (error) {
      const answered = error instanceof CliError && error.code === "service-refused";
      const mayRepeat = error instanceof CliError && error.outcome === "unavailable" && (answered || onExisting !== "replace");
      if (!mayRepeat || performance.now() + delay > giveUpAt) throw error;
      await sleep(delay, undefined, { signal }).catch(() => {
        throw new CliError("interrupted");
      });
    }
  }
}

function stored(report: ImportReport): number {
  return report.created + report.replaced + report.unchanged + report.kept;
}

function finish(report: ImportReport, terminal: Terminal, onBad: "accept-bad" | "fail-on-bad"): void {
  report.bad.sort((one, other) => one.line - other.line);
  terminal.result({ ...report, stored: stored(report) }, () => summary(report, terminal));
  if (report.bad.length === 0) return;
  const named = report.bad.slice(0, NAMED_BAD_LINES).map(({ line, reason }) => `line ${line}: ${reason}`);
  const rest = report.bad.length - named.length;
  const problems = rest > 0 ? [...named, `and ${rest} more; --json names them all`] : named;
  if (onBad === "fail-on-bad") throw new CliError("input-has-bad-lines", { detail: `${report.bad.length} of ${report.read} lines:`, problems });
  terminal.say([`${report.bad.length} of ${report.read} lines were skipped:`, ...problems.map((problem) => `  - ${problem}`)].join("\n"));
}

function summary(report: ImportReport, terminal: Terminal): string {
  const parts = (["created", "replaced", "unchanged", "kept"] as const)
    .filter((outcome) => report[outcome] > 0)
    .map((outcome) => `${report[outcome].toLocaleString("en")} ${outcome}`);
  const of = `${stored(report).toLocaleString("en")} of ${report.read.toLocaleString("en")} records are in ${report.collection}`;
  return `${terminal.style("bold", of)}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}
