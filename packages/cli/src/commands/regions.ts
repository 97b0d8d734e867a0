// `strongroom regions`: the health of each region as the service saw it in real calls; with --watch, as it changes.
// `strongroom regions debt`: the keys and versions that owe a wrap, where, since when, and why the last repair failed.
import { given } from "@strongroom/base/command";
import { printable, printableCopy, renderTable } from "@strongroom/base/terminal";
import type { Owed } from "@strongroom/client";
import { command, type CommandSpec, option, pageOptions, readPage, requireUndamaged, withService } from "../command.ts";
import { regionsResult, regionsView, watchRegions } from "./regions-view.ts";

/** `strongroom regions`. */
export const regionsCommand: CommandSpec = command({
  name: "regions",
  heading: "Looking after it",
  summary: "show the health of each region, as seen in real calls",
  description:
    "With --watch the table is drawn again every second on a terminal; where output goes elsewhere, each change " +
    "is one line. Ctrl-C ends it.",
  flagGroups: ["client"],
  options: { watch: option("-w, --watch", "keep showing it, until Ctrl-C", given()) },
  examples: [
    {
      line: "npx strongroom regions",
      meaning: "state, latency, failures and breaker of each region, and the wraps that are owed",
    },
    { line: "npx strongroom regions --watch", meaning: "the same, as it changes" },
  ],
  run: withService(async (client, { context, options }) => {
    const { terminal, signal } = context;
    if (options.watch) {
      await watchRegions(terminal, () => client.regions(), signal);
      return;
    }
    const answer = await client.regions();
    terminal.result(regionsResult(answer), () => regionsView(printableCopy(answer), terminal));
  }),
});

/** `strongroom regions debt`. */
export const regionsDebtCommand: CommandSpec = command({
  name: "regions debt",
  heading: "Looking after it",
  summary: "list the keys and versions that owe a wrap",
  description:
    "They were written while a region was away. The service repairs them by itself when it is back; what cannot be " +
    "repaired stays listed with the reason.",
  flagGroups: ["client"],
  options: pageOptions("items"),
  examples: [
    { line: "npx strongroom regions debt", meaning: "the first 100" },
    { line: "npx strongroom regions debt --all --json | jq '.items | length'", meaning: "how many there are" },
  ],
  run: withService(async (client, { context, options }) => {
    const listing = await readPage(client.debt(), options);
    context.terminal.result(listing, ({ items }) =>
      items.length === 0 ? "No wrap is owed." : debtTable(items, context.terminal.width),
    );
    if (listing.next !== null)
      context.terminal.say(`There are more: strongroom regions debt --cursor ${printable(listing.next)} (or --all)`);
    requireUndamaged(listing);
  }),
});

function debtTable(items: readonly Owed[], width: number): string {
  return renderTable(
    [
      { heading: "WHAT" },
      { heading: "ID" },
      { heading: "VERSION", align: "right" },
      { heading: "MISSING IN" },
      { heading: "SINCE" },
      { heading: "TRIES", align: "right" },
      { heading: "LAST PROBLEM" },
    ],
    items.map(({ regions, since, attempts, lastProblem, ...item }) => [
      ...(item.kind === "version"
        ? [item.collection, item.id, String(item.version)]
        : [`key: ${item.key.kind}`, item.key.owner, item.key.version]),
      regions.map(({ region, reason }) => `${region} (${reason})`).join(", "),
      since,
      String(attempts),
      lastProblem === null ? "-" : `${lastProblem.code} at ${lastProblem.at}`,
    ]),
    width,
  );
}
