// What is held of people, for a person to read.
import { printableCopy, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { Exposure, PersonConsent, PersonHeld, PersonRecipient, Rectified } from "@strongroom/client";

/** Records as a table, and what is the same of all. */
export function heldView(held: PersonHeld, terminal: Terminal): string {
  const { state, except, records, collections } = printableCopy(held);
  const about = new Map(collections.map((one) => [one.collection, one]));
  const head =
    except.length === 0 ? `The person is ${state}.` : `The person is ${state}, but for ${except.join(", ")}.`;
  if (records.length === 0) return `${head} Nothing is held of them.`;
  const rows = records.map((one) => [
    `${one.collection}/${one.id ?? "?"}`,
    `${one.versions}`,
    one.since ?? "-",
    one.newestAt ?? "-",
    one.isAbout ? (one.others === 0 ? "-" : `${one.others}`) : "others only",
    listed(about.get(one.collection)?.purposes ?? []),
    one.until ?? about.get(one.collection)?.retention ?? "-",
  ]);
  const headings = ["RECORD", "VERSIONS", "SINCE", "NEWEST", "OTHERS", "PURPOSES", "UNTIL"];
  return `${head}\n${renderTable(
    headings.map((heading) => ({ heading })),
    rows,
    terminal.width,
  )}`;
}

export function consentsView(consents: readonly PersonConsent[], terminal: Terminal): string {
  if (consents.length === 0) return "They have consented to nothing.";
  const rows = printableCopy(consents).map((one) => [one.purpose, one.state, one.at, one.evidence ?? "-"]);
  return renderTable(
    [{ heading: "PURPOSE" }, { heading: "STATE" }, { heading: "SINCE" }, { heading: "EVIDENCE" }],
    rows,
    terminal.width,
  );
}

export function recipientsView(recipients: readonly PersonRecipient[], terminal: Terminal): string {
  if (recipients.length === 0) return "By the audit nothing of theirs was given out.";
  const rows = printableCopy(recipients).map((one) => [
    one.from,
    one.recipient ?? "(an export of a collection)",
    one.principal,
    `${one.records.length}`,
    one.outcome === "untold" ? terminal.style("yellow", "no end is told") : one.outcome,
  ]);
  const headings = ["FROM", "TO WHOM", "BY", "RECORDS", "OUTCOME"];
  return renderTable(
    headings.map((heading) => ({ heading })),
    rows,
    terminal.width,
  );
}

export function toTellView(done: Rectified, terminal: Terminal): string {
  const { collection, id, version, recipients } = printableCopy(done);
  const head = `${collection}/${id} is corrected: version ${version}.`;
  return recipients.length === 0
    ? `${head} Nobody was given it before.`
    : `${head} To be told:\n${recipientsView(done.recipients, terminal)}`;
}

export function exposureView(exposure: Exposure, terminal: Terminal): string {
  const { records, people, entries, unopened } = printableCopy(exposure);
  const content = people.filter(({ isContent }) => isContent);
  const lost = unopened === 0 ? "" : `\n${unopened} entries do not open any more: what those gave is not among these.`;
  const head = `${entries} entries, about ${people.length} people; content about ${content.length} of them.${lost}`;
  if (records.length === 0) return head;
  const rows = records.map((one) => [
    `${one.collection}/${one.id ?? "?"}`,
    one.versions.length === 0 ? "that it is there" : one.versions.join(" "),
    one.firstAt,
    one.lastAt,
  ]);
  const table = renderTable(
    [{ heading: "RECORD" }, { heading: "VERSIONS" }, { heading: "FIRST" }, { heading: "LAST" }],
    rows,
    terminal.width,
  );
  const names = people.flatMap(({ name }) => name ?? []);
  return names.length === 0 ? `${head}\n${table}` : `${head}\n${table}\nPeople: ${names.join(", ")}`;
}

const listed = (texts: readonly string[]): string => (texts.length === 0 ? "-" : texts.join(", "));
