// `strongroom audit tail --follow`: each new entry as it comes. What was shown last is asked for by its position, so
// that entries that came together are neither missed nor shown twice.
import { setTimeout as delay } from "node:timers/promises";
import type { AuditEvent, Client } from "@strongroom/client";
import type { CommandContext } from "../command.ts";
import { asCliError } from "../connection.ts";
import { CliError } from "../errors.ts";
import { eventLine, newestEvents } from "./audit-view.ts";
import { POLL_EVERY_MS } from "./watch.ts";

/** Entries of one question. */
const PAGE = 500;

/** Shows until the signal is aborted; a service that is away for a while is waited for. */
export async function followEvents(client: Client, first: number, { terminal, signal }: CommandContext): Promise<void> {
  const show = (events: readonly AuditEvent[]): void => {
    for (const event of events)
      if (terminal.mode === "json") terminal.printJson(event);
      else terminal.print(eventLine(event));
  };
  let last = -1;
  let limit = first;
  while (!signal.aborted) {
    try {
      const found = await newerThan(client, last, limit);
      show(found);
      last = found.at(-1)?.position ?? last;
      limit = PAGE;
    } catch (error) {
      const told = asCliError(error);
      if (!(told instanceof CliError)) throw told;
      if (told.outcome === "interrupted") return;
      if (told.outcome !== "unavailable") throw told;
    }
    await delay(POLL_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Those behind a position, oldest first; of the first question as many as are wanted. */
async function newerThan(client: Client, position: number, limit: number): Promise<readonly AuditEvent[]> {
  if (position < 0) return newestEvents(client, limit);
  const found: AuditEvent[] = [];
  for await (const page of client.audit.events({ order: "newest" }).pages()) {
    const newer = page.items.filter((event) => event.position !== null && event.position > position);
    for (const event of newer) found.push(event);
    if (newer.length < page.items.length) break;
  }
  return found.reverse();
}
