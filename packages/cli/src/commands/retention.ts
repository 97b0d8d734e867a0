// `strongroom retention …` and `strongroom processing-report`: what is declared for people, and that it is done.
import { given, oneOfOr, option, text } from "@strongroom/base/command";
import { printableCopy, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { RetentionReport } from "@strongroom/client";
import { processingMarkdown } from "@strongroom/vault";
import { command, type CommandSpec, withService } from "../command.ts";
import { writeOutput } from "../input-output.ts";
import { moment, WHY_OPTIONS } from "./audit-options.ts";
import { exposureView } from "./person-view.ts";

/** `strongroom retention plan`. */
export const retentionPlanCommand: CommandSpec = command({
  name: "retention plan",
  heading: "People",
  summary: "show what has stayed as long as its collection declares, and changes nothing",
  description:
    "Where a period counts from a field, each record of the collection is opened for it. Needs a token with the " +
    "scope admin.",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom retention plan", meaning: "what a run would remove" }],
  run: withService(async (client, { context: { terminal } }) => {
    terminal.result(await client.people.planRetention(), (report) => retentionView(report, terminal));
  }),
});

/** `strongroom retention run`. */
export const retentionRunCommand: CommandSpec = command({
  name: "retention run",
  heading: "People",
  summary: "remove what has stayed as long as its collection declares",
  description:
    "Whole records, with all their versions. What is held, or about somebody who is restricted, stays. A run that is " +
    "interrupted is gone on with by the next one. Needs a token with the scope admin.",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom retention run --json", meaning: "from a timer, with a report to keep" }],
  run: withService(async (client, { context: { terminal } }) => {
    terminal.result(await client.people.runRetention(), (report) => retentionView(report, terminal));
  }),
});

function retentionView(report: RetentionReport, terminal: Terminal): string {
  const { collections } = printableCopy(report);
  if (collections.length === 0) return "No collection declares a retention.";
  const headings = ["COLLECTION", "KEPT", "LOOKED AT", "DUE", "REMOVED", "HELD", "NO DATE", "FAILED", "OUTCOME"];
  const rows = collections.map((one) => [
    one.collection,
    one.from === null ? one.after : `${one.after} from ${one.from}`,
    ...[one.looked, one.due, one.removed, one.held, one.undated].map(String),
    Object.entries(one.failed)
      .map(([code, count]) => `${count} ${code}`)
      .join(", ") || "-",
    one.outcome,
  ]);
  return renderTable(
    headings.map((heading) => ({ heading })),
    rows,
    terminal.width,
  );
}

/** `strongroom processing-report`. */
export const processingReportCommand: CommandSpec = command({
  name: "processing-report",
  heading: "People",
  summary: "write what is declared of collections as a record of processing activities",
  description:
    "Purposes, fields, how long, for whom, which keys and where: as far as the declarations know it. Needs a token " +
    "with the scope read.",
  flagGroups: ["client"],
  options: {
    format: option(
      "--format <format>",
      "markdown or json (default: markdown)",
      oneOfOr("markdown", ["markdown", "json"]),
    ),
    out: option("-o, --out <file>", "the file, which appears whole or not at all (default: standard output)", text()),
  },
  examples: [{ line: "npx strongroom processing-report --out processing.md", meaning: "article 30 of the GDPR" }],
  run: withService(async (client, { context, options }) => {
    const report = await client.people.processing();
    const { format, out } = options;
    const shown =
      format === "json" ? `${JSON.stringify(report, null, 2)}\n` : processingMarkdown(printableCopy(report));
    if (out !== undefined && out !== "-") await writeOutput(out, shown, context);
    else context.terminal.result(report, () => shown.replace(/\n$/, ""));
  }),
});

/** `strongroom audit exposure`. */
export const auditExposureCommand: CommandSpec = command({
  name: "audit exposure",
  args: "<principal>",
  heading: "Audit",
  summary: "show what a principal was given since a moment: what a breach of their token may have let out",
  description:
    "By the audit, each record and version once. It says rather too much: an entry is written before anything is " +
    "given. Needs a token with the scope audit.",
  flagGroups: ["client"],
  options: {
    since: option("--since <time>", "from this time on (default: 30d ago)", moment()),
    until: option("--until <time>", "before this time", moment()),
    names: option("--names", "name the people, who may have to be told (article 34 of the GDPR)", given()),
  },
  examples: [
    { line: "npx strongroom audit exposure token:4f0c2a91b7de --since 7d --names", meaning: "whom it concerns" },
  ],
  run: withService(async (client, { context: { terminal }, args, options }) => {
    const [principal = ""] = args;
    const { until, names } = options;
    const since = options.since ?? new Date(Date.now() - 30 * 86_400_000).toISOString();
    const found = await client.people.exposure(principal, { since, until, names });
    terminal.result(found, (shown) => exposureView(shown, terminal));
  }),
});
