// Writes the entries of the audit, oldest first, one JSON object a line.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Client } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { type AuditFormat, formatEvent } from "../formats/audit-formats.ts";
import { openOutput } from "../input-output.ts";
import { keptWhole } from "./kept-whole.ts";

/** What is exported. */
export interface EventsJob {
  /** A file, or "-" for standard output. */
  readonly path: string;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly format: AuditFormat;
}

/** Runs the export and prints its result. A file appears whole or not at all. */
export async function exportEvents(job: EventsJob, client: Client, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const { path, format } = job;
  // Reading the audit is in it, too: without an end it would never be reached.
  const until = job.until ?? new Date().toISOString();
  const output = await openOutput(path, context);
  const progress = startProgress(terminal, { label: "export the audit", total: null });
  let entries = 0;
  await keptWhole(output, progress, async () => {
    for await (const event of client.audit.events({ since: job.since, until, order: "oldest" })) {
      signal.throwIfAborted();
      await output.write(`${JSON.stringify(formatEvent(event, format))}\n`);
      progress.update(++entries, entries);
    }
  });
  const said = `${entries.toLocaleString("en")} ${entries === 1 ? "entry" : "entries"} of the audit exported`;
  if (path === "-") terminal.say(said);
  else terminal.result({ file: path, entries, format, until }, () => `${said} to ${path}`);
}
