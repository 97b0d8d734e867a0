// Gives a person's records out: as lines, or as a zip with who read them, to whom they were given, and a page to read.
// A file appears whole or not at all.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { OutputFile } from "@strongroom/base/output-file";
import type { Client, PersonExportItem, PersonHeld } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { openOutput } from "../input-output.ts";
import { keptWhole } from "./kept-whole.ts";
import { personPage } from "./person-page.ts";
import { ZipOutput } from "./zip-output.ts";

/** What is exported, of whom and for whom. */
export interface PersonExportJob {
  readonly subject: string;
  readonly tenant: string | undefined;
  readonly recipient: string;
  readonly versions: "newest" | "all";
  /** A file, or "-" for standard output. */
  readonly path: string;
  readonly isZip: boolean;
}

/** What an export did; the JSON result. */
interface PersonExportReport {
  /** Names it in the audit; null: there was nothing. */
  export: string | null;
  records: number;
  withheld: number;
}

/** Runs the export and prints its result. Of one that fails the audit has a beginning and no end. */
export async function exportPerson(job: PersonExportJob, client: Client, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { path, isZip } = job;
  const report: PersonExportReport = { export: null, records: 0, withheld: 0 };
  const output = await openOutput(path, context);
  const progress = startProgress(terminal, { label: "export", total: null });
  await keptWhole(output, progress, async () => {
    const items = itemsOf(job, client, context, report, () => {
      const count = report.records + report.withheld;
      progress.update(count, count);
    });
    await (isZip ? writeZip(job, items, client, output) : writeLines(items, (text) => output.write(text)));
    context.signal.throwIfAborted();
  });
  const place = path === "-" ? "" : ` to ${path}`;
  const left = report.withheld === 0 ? "" : `; of ${report.withheld} the content is left out, with the reason`;
  const summary = `${report.records} records exported${place}${left}`;
  if (path === "-") terminal.say(summary);
  else terminal.result({ file: path, ...report }, () => summary);
}

async function* itemsOf(
  { subject, tenant, recipient, versions }: PersonExportJob,
  client: Client,
  { signal }: CommandContext,
  report: PersonExportReport,
  onPage: () => void,
): AsyncGenerator<PersonExportItem> {
  for await (const page of client.people.export(subject, { tenant, recipient, versions })) {
    report.export = page.export;
    for (const item of page.items) {
      signal.throwIfAborted();
      report[item.kind === "record" ? "records" : "withheld"]++;
      yield item;
    }
    onPage();
  }
}

async function writeLines(
  items: AsyncIterable<PersonExportItem>,
  write: (text: string) => Promise<void>,
): Promise<void> {
  for await (const item of items) await write(`${JSON.stringify(item)}\n`);
}

/** Names in it are fixed: no record's id is a path. */
async function writeZip(
  job: PersonExportJob,
  items: AsyncIterable<PersonExportItem>,
  client: Client,
  output: OutputFile,
): Promise<void> {
  const { subject, tenant } = job;
  const zip = new ZipOutput(output);
  await zip.file("records.ndjson", (write) => writeLines(items, write));
  // Asked for when the records are given: this export is among them.
  const recipients = await client.people.recipients(subject, { tenant });
  const consents = await client.people.consents(subject, { tenant });
  const held = await everythingHeld(job, client);
  const log = await client.audit.accessLog(subject, { tenant });
  await zip.file("access-log.json", (write) => write(`${JSON.stringify(log, null, 2)}\n`));
  await zip.file("recipients.json", (write) => write(`${JSON.stringify(recipients, null, 2)}\n`));
  const events = log.entries.map(({ event }) => event);
  const page = personPage({ subject, recipient: job.recipient, held, recipients, consents, events });
  await zip.file("index.html", (write) => write(page));
  await zip.end();
}

async function everythingHeld({ subject, tenant }: PersonExportJob, client: Client): Promise<PersonHeld> {
  let held: PersonHeld | null = null;
  const records: PersonHeld["records"][number][] = [];
  const collections = new Map<string, PersonHeld["collections"][number]>();
  for (let cursor: string | null | undefined; cursor !== null;) {
    held = await client.people.show(subject, { tenant, cursor });
    for (const one of held.records) records.push(one);
    for (const one of held.collections) collections.set(one.collection, one);
    cursor = held.next;
  }
  if (held === null) throw new TypeError("a person has a first page");
  return { ...held, records, collections: [...collections.values()] };
}
