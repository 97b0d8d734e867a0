// `strongroom list`: the collections, or the ids of one.
import { printable, renderTable } from "@strongroom/base/terminal";
import { command, type CommandSpec, pageOptions, readPage, requireUndamaged, withService } from "../command.ts";

/** `strongroom list`. */
export const listCommand: CommandSpec = command({
  name: "list",
  args: "[collection]",
  heading: "Records",
  summary: "list the collections, or the records of one",
  flagGroups: ["client"],
  options: pageOptions("records"),
  examples: [
    { line: "npx strongroom list", meaning: "the collections" },
    { line: "npx strongroom list people --limit 20", meaning: "the first 20 records" },
    { line: "npx strongroom list people --all --json | jq -r '.items[].id'", meaning: "every id" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection] = args;
    const { terminal } = context;
    if (collection === undefined) {
      const collections = await client.collections();
      terminal.result({ collections }, (shown) =>
        shown.collections.length === 0
          ? "There are no records yet."
          : renderTable(
              [{ heading: "COLLECTION" }, { heading: "RECORDS", align: "right" }],
              shown.collections.map((one) => [one.collection, one.records.toLocaleString("en")]),
              terminal.width,
            ),
      );
      return;
    }
    const listing = await readPage(client.records.list(collection), options);
    terminal.result({ collection, ...listing }, ({ items }) =>
      renderTable(
        [{ heading: "ID" }, { heading: "VERSION", align: "right" }, { heading: "WRITTEN" }],
        items.map(({ id, version, updatedAt }) => [id, String(version), updatedAt]),
        terminal.width,
      ),
    );
    if (listing.next !== null)
      terminal.say(`There are more: strongroom list ${collection} --cursor ${printable(listing.next)} (or --all)`);
    requireUndamaged(listing);
  }),
});
