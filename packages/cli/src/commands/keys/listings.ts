// `strongroom keys inventory`: how much lies under each key. `strongroom keys failures`: what a run could not do.
import { printable, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { ConvergenceFailure, InventoryLine } from "@strongroom/client";
import { command, type CommandSpec, pageOptions, readPage, withService } from "../../command.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import { hasSeveralAccounts, INNER_KEYS, keyText, materialText, number } from "./key-text.ts";

/** `strongroom keys inventory`. */
export const keysInventoryCommand: CommandSpec = command({
  name: "keys inventory",
  heading: "Looking after it",
  summary: "list how many items lie under each key and material, and since when the oldest",
  description:
    "Keys of people, and versions in record scope; an item with wraps in three regions is in three lines. --json has " +
    "the whole names of keys.",
  flagGroups: ["client"],
  options: {},
  examples: [
    { line: "npx strongroom keys inventory", meaning: "which keys are needed still" },
    {
      line: "npx strongroom keys inventory --json | jq '.lines[] | select(.isInForce | not)'",
      meaning: "what lies under keys of before",
    },
  ],
  run: withService(async (client, { context: { terminal } }) => {
    const lines = await client.convergence.inventory();
    terminal.result({ lines }, (shown) =>
      shown.lines.length === 0 ? "Nothing is stored." : inventoryTable(shown.lines, terminal),
    );
  }),
});

/** On a narrower screen names of keys are cut. */
const WHOLE_NAMES = 110;

function inventoryTable(lines: readonly InventoryLine[], terminal: Terminal): string {
  const withAccount = hasSeveralAccounts(lines.map(({ key }) => key));
  const isShort = terminal.width < WHOLE_NAMES;
  const hasMaterial = lines.some(({ material }) => material !== null);
  return renderTable(
    [
      { heading: "STORE" },
      { heading: "REGION" },
      { heading: "KEY" },
      ...(hasMaterial ? [{ heading: "MATERIAL" }] : []),
      { heading: "ITEMS", align: "right" as const },
      { heading: "OLDEST" },
      { heading: "IN FORCE" },
    ],
    lines.map(({ store, provider, region, key, material, items, oldest, isInForce }) => [
      store,
      region ?? "-",
      provider === UNTOLD ? "cannot be told" : (INNER_KEYS[provider] ?? keyText(key, { withAccount, isShort })),
      ...(hasMaterial ? [material === null ? "-" : materialText(material)] : []),
      number(items),
      oldest === null ? "-" : oldest.slice(0, 10),
      hasNoKeySet(provider) ? "-" : isInForce ? terminal.style("green", "yes") : terminal.style("yellow", "no"),
    ]),
    terminal.width,
  );
}

/** Of items whose row of wraps is damaged, or is not there. */
const UNTOLD = "";

/** Such keys are in no key set: what wraps them is. Of what cannot be told nobody knows. */
function hasNoKeySet(provider: string): boolean {
  return provider === UNTOLD || Object.hasOwn(INNER_KEYS, provider);
}

/** `strongroom keys failures`. */
export const keysFailuresCommand: CommandSpec = command({
  name: "keys failures",
  heading: "Looking after it",
  summary: "list the items that a run could not bring to the declared keys, and why",
  description: "They stop nothing else, are tried again while the run goes, and are never counted as done.",
  flagGroups: ["client"],
  options: { ...pageOptions("items"), ...WHY_OPTIONS },
  examples: [
    { line: "npx strongroom keys failures", meaning: "the first 100" },
    { line: "npx strongroom keys failures --all --json | jq '.items | length'", meaning: "how many there are" },
  ],
  run: withService(async (client, { context: { terminal }, options }) => {
    const listing = await readPage(client.convergence.failures(), options);
    terminal.result(listing, ({ items }) =>
      items.length === 0 ? "No item fails." : failuresTable(items, terminal.width),
    );
    if (listing.next !== null)
      terminal.say(`There are more: strongroom keys failures --cursor ${printable(listing.next)} (or --all)`);
  }),
});

function failuresTable(items: readonly ConvergenceFailure[], width: number): string {
  return renderTable(
    [
      { heading: "WHAT" },
      { heading: "ID" },
      { heading: "VERSION" },
      { heading: "PROBLEM" },
      { heading: "TRIES", align: "right" },
      { heading: "LAST TRY" },
    ],
    items.map(({ place, code, attempts, at }) => [
      ...("collection" in place
        ? [place.collection, place.id, String(place.version)]
        : [`key: ${place.kind}`, place.owner, place.version]),
      code,
      String(attempts),
      at,
    ]),
    width,
  );
}
