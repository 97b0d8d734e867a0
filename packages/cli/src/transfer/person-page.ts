// What is held of a person as a page that they can read: one file, without a script and without anything from
// elsewhere. Everything in it is somebody's text, and is escaped.
import type { AuditEvent, PersonConsent, PersonHeld, PersonRecipient } from "@strongroom/client";

/** What is on the page. */
export interface PersonPageFacts {
  readonly subject: string;
  readonly recipient: string;
  readonly held: PersonHeld;
  readonly recipients: readonly PersonRecipient[];
  readonly consents: readonly PersonConsent[];
  readonly events: readonly AuditEvent[];
}

/** Newest entries of the access log that the page shows: the file beside it has all. */
const MOST_EVENTS = 1_000;

/** The page. */
export function personPage({ subject, recipient, held, recipients, consents, events }: PersonPageFacts): string {
  const about = new Map(held.collections.map((one) => [one.collection, one]));
  const records = held.records.map((one) => {
    const declared = about.get(one.collection);
    return [
      one.collection,
      one.id ?? "(sealed)",
      one.since ?? "",
      one.newestAt ?? "",
      `${one.versions}`,
      one.isAbout ? (one.others === 0 ? "" : `${one.others} others are in it too`) : "it is about others by now",
      declared?.purposes.join(", ") ?? "",
      one.until ?? declared?.retention ?? "",
    ];
  });
  const read = events.slice(-MOST_EVENTS).toReversed();
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>What is held of ${escaped(subject)}</title><style>${STYLE}</style></head><body>`,
    `<h1>What is held of ${escaped(subject)}</h1>`,
    `<p>Given to ${escaped(recipient)}. The records themselves are in records.ndjson, one a line.</p>`,
    `<h2>Records</h2>`,
    table(["Collection", "Record", "Since", "Newest", "Versions", "Others", "Used for", "Kept until"], records),
    "<h2>Consents</h2>",
    table(
      ["Purpose", "State", "Since", "Evidence"],
      consents.map((one) => [one.purpose, one.state, one.at, one.evidence ?? ""]),
    ),
    "<h2>To whom it was given</h2>",
    table(
      ["From", "To whom", "By", "Records", "Outcome"],
      recipients.map((one) => [
        one.from,
        one.recipient ?? "an export of a collection",
        one.principal,
        `${one.records.length}`,
        one.outcome,
      ]),
    ),
    "<h2>Who looked</h2>",
    `<p>The newest ${read.length} of ${events.length} entries; access-log.json has all, each with a proof.</p>`,
    table(
      ["At", "Who", "What", "Result", "Why", "Collection"],
      read.map((one) => [one.at, one.principal, one.action, one.result, one.purpose ?? "", one.collection ?? ""]),
    ),
    "</body></html>\n",
  ].join("\n");
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}" +
  "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.2rem .5rem;text-align:left;" +
  "overflow-wrap:anywhere;vertical-align:top}";

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "<p>Nothing.</p>";
  const row = (cells: readonly string[], tag: "td" | "th"): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>${row(headings, "th")}\n${rows.map((cells) => row(cells, "td")).join("\n")}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** As text: marks of HTML, and what is not seen, or turns round what is. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "").replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "\ufffd");
}
