// Entries of the audit for a person: a row each.
import { printable, printableCopy, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { AuditEvent, Client, Page } from "@strongroom/client";

/** Records that a row names. */
const MOST_NAMED = 3;
/** Characters of a detail. */
const LONGEST_DETAIL = 24;

/** The newest entries, the oldest of them first. */
export async function newestEvents(client: Client, limit: number): Promise<readonly AuditEvent[]> {
  return (await client.audit.events({ order: "newest" }).page({ limit })).items.toReversed();
}

/** The JSON result of a page. */
export function eventsResult({ items, next }: Page<AuditEvent>): {
  readonly events: readonly AuditEvent[];
  readonly next: string | null;
} {
  return { events: items, next };
}

/** How to go on. */
export function nextLine(words: string, next: string): string {
  return `There are more: strongroom ${words} --cursor ${printable(next)}`;
}

/** A table. */
export function eventsView(events: readonly AuditEvent[], terminal: Terminal): string {
  if (events.length === 0) return "The audit has no such entry.";
  return renderTable(
    [
      { heading: "AT" },
      { heading: "PRINCIPAL" },
      { heading: "ACTION" },
      { heading: "RESULT" },
      { heading: "WHAT" },
      { heading: "WHY" },
    ],
    printableCopy(events).map((event) => [
      event.at,
      event.principal,
      event.action,
      event.result === "done" ? event.result : terminal.style("yellow", event.result),
      whatText(event),
      whyText(event),
    ]),
    terminal.width,
  );
}

/** One line, where each is shown as it comes. */
export function eventLine(event: AuditEvent): string {
  const { at, action, result, principal } = event;
  return printable(
    [at, principal, action, result, whatText(event), whyText(event)]
      .filter((part) => part !== "-")
      .join("  "),
    2000,
  );
}

function whatText({ collection, records, details, label }: AuditEvent): string {
  const place = collection ?? "";
  const named = records.slice(0, MOST_NAMED).map(({ id, version }) => {
    const name = `${place}/${id ?? "?"}`;
    return version === null ? name : `${name} v${version}`;
  });
  const rest = records.length - named.length;
  if (named.length > 0) return `${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
  const told = Object.entries(details)
    .slice(0, MOST_NAMED)
    .map(([name, value]) => `${name}=${shortened(String(value))}`);
  return [...(place === "" ? [] : [place]), ...(label === null ? [] : [`"${label}"`]), ...told].join(" ") || "-";
}

/** A detail may be a list of a thousand ids. */
function shortened(value: string): string {
  return value.length <= LONGEST_DETAIL ? value : `${value.slice(0, LONGEST_DETAIL - 1)}…`;
}

function whyText({ purpose, ticket, export: exported }: AuditEvent): string {
  const parts = [purpose, ticket, exported === null ? null : `export ${exported.slice(0, 8)}`];
  return parts.filter((part) => part !== null).join(" ") || "-";
}
