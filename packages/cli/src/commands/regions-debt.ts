// `strongroom regions debt`: the versions that owe a wrap, where, since when, and why the last repair failed.
import { given, text, wholeNumberOr } from "@strongroom/base/command";
import { printable, renderTable } from "@strongroom/base/terminal";
import type { OwedVersion } from "@strongroom/client";
import { command, type CommandSpec, option } from "../command/spec.ts";
import { withService } from "../service.ts";

/** `strongroom regions debt`. */
export const regionsDebtCommand: CommandSpec = command({
  name: "regions debt",
  heading: "Looking after it",
  summary: "list the versions that owe a wrap",
  description:
    "They were written while a region was away. The service repairs them by itself when it is back; what can not be " +
    "repaired stays listed with the reason.",
  flagGroups: ["client"],
  options: {
    limit: option("--limit <n>", "versions shown (default: 100)", wholeNumberOr(100, 1, 1000)),
    cursor: option("--cursor <cursor>", "continue where the last page ended", text()),
    all: option("--all", "every page", given()),
  },
  examples: [
    { line: "npx strongroom regions debt", meaning: "the first 100" },
    { line: "npx strongroom regions debt --all --json | jq '.items | length'", meaning: "how many there are" },
  ],
  run: withService(async (client, { context, options }) => {
    const debt = client.debt();
    const { cursor, limit } = options;
    const listing = options.all ? { items: await debt.all(), next: null } : await debt.page({ cursor, limit });
    context.terminal.result(listing, () =>
      listing.items.length === 0 ? "No wrap is owed." : debtTable(listing.items),
    );
    if (listing.next !== null)
      context.terminal.say(`There are more: strongroom regions debt --cursor ${listing.next} (or --all)`);
  }),
});

function debtTable(items: readonly OwedVersion[]): string {
  return renderTable(
    [
      { heading: "COLLECTION" },
      { heading: "ID" },
      { heading: "VERSION", align: "right" },
      { heading: "MISSING IN" },
      { heading: "SINCE" },
      { heading: "TRIES", align: "right" },
      { heading: "LAST PROBLEM" },
    ],
    items.map(({ collection, id, version, regions, since, attempts, lastProblem }) => [
      collection,
      printable(id),
      String(version),
      regions.map(({ region, reason }) => `${region} (${reason})`).join(", "),
      since,
      String(attempts),
      lastProblem === null ? "-" : `${lastProblem.code} at ${lastProblem.at}`,
    ]),
  );
}
