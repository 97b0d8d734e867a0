// `strongroom collection list`, `plan` and `leakage`: what records are found by, beside what is declared, and what that
// tells whoever has the database.
import { given, text } from "@strongroom/base/command";
import { renderTable, type Terminal } from "@strongroom/base/terminal";
import type { CollectionInfo, IndexLeakage, IndexPlanLine } from "@strongroom/client";
import { command, type CommandSpec, option, withService } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import { documentsView, followWork, hasWork, planTable, stepText } from "./views.ts";

/** `strongroom collection list`. */
export const collectionListCommand: CommandSpec = command({
  name: "collection list",
  heading: "Looking after it",
  summary: "list the collections, and what their records are found by",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom collection list", meaning: "which index is ready" }],
  run: withService(async (client, { context: { terminal } }) => {
    const [collections, indexes] = [await client.collections(), await client.indexes.plan()];
    terminal.result({ collections, indexes }, (shown) => listView(shown.collections, shown.indexes, terminal));
  }),
});

function listView(
  collections: readonly CollectionInfo[],
  indexes: readonly IndexPlanLine[],
  terminal: Terminal,
): string {
  const names = [...new Set([...collections, ...indexes].map(({ collection }) => collection))].sort();
  if (names.length === 0) return "There are no records yet, and no collection declares a field to find by.";
  const rows = names.flatMap((name) => {
    const records = collections.find(({ collection }) => collection === name)?.records ?? 0;
    const own = indexes.filter(({ collection }) => collection === name);
    const first = [name, records.toLocaleString("en")];
    return own.length === 0
      ? [[...first, "-", "-", "-"]]
      : own.map(({ index, isUnique, step }, row) => [
          ...(row === 0 ? first : ["", ""]),
          ...[index, isUnique ? "yes" : "no", stepText(step, terminal)],
        ]);
  });
  return renderTable(
    [
      { heading: "COLLECTION" },
      { heading: "RECORDS", align: "right" },
      { heading: "INDEX" },
      { heading: "UNIQUE" },
      { heading: "STATE" },
    ],
    rows,
    terminal.width,
  );
}

/** `strongroom collection plan`. */
export const collectionPlanCommand: CommandSpec = command({
  name: "collection plan",
  args: "[collection]",
  heading: "Looking after it",
  summary: "show what is stored beside what is declared, and what apply would do",
  description:
    "Indexes that are to be built or dropped. With --documents every document is opened and held to its collection's " +
    "schema: those that do not fit any more are named by their ids and fields, and are read as before.",
  flagGroups: ["client"],
  options: {
    documents: option("--documents", "look for documents that do not fit what is declared", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom collection plan", meaning: "before strongroom collection apply" },
    { line: "npx strongroom collection plan customers --documents", meaning: "after a schema was changed" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection] = args;
    const { terminal } = context;
    const plan = await client.indexes.plan({ collection });
    const collections = await client.collections();
    const work = options.documents
      ? await followWork(client, await client.indexes.checkDocuments({ collection }), context, collections)
      : null;
    terminal.result({ indexes: plan, documents: work?.documents ?? null }, ({ indexes, documents }) =>
      [
        planTable(indexes, terminal),
        ...(hasWork(indexes, collections) ? ["strongroom collection apply does it, beside everything else."] : []),
        ...(documents === null ? [] : [documentsView(documents, terminal)]),
      ].join("\n"),
    );
  }),
});

/** `strongroom collection leakage`. */
export const collectionLeakageCommand: CommandSpec = command({
  name: "collection leakage",
  args: "<collection>",
  heading: "Looking after it",
  summary: "measure what the indexes of a collection tell whoever has the database",
  description:
    "Equal values have equal tags. Who has the database and knows how often each value comes in the population names " +
    "the most frequent tag by the most frequent value, and so on down: NAMED is the share of records whose value is " +
    "named so, for somebody who knows that exactly; GUESSED is that of somebody who guesses. Exit code 1 where an " +
    "index tells more than nobody had to accept.",
  flagGroups: ["client"],
  options: { index: option("--index <name>", "this index alone", text()), ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom collection leakage customers", meaning: "of each index" }],
  run: withService(async (client, { context: { terminal }, args, options, endWith }) => {
    const [collection = ""] = args;
    const all = await client.indexes.leakage(collection);
    const indexes = options.index === undefined ? all : all.filter(({ index }) => index === options.index);
    if (options.index !== undefined && indexes.length === 0)
      throw new CliError("usage", { detail: "The collection has no ready index of that name." });
    terminal.result({ indexes }, (shown) => leakageTable(shown.indexes, terminal));
    if (indexes.some(({ isTooMuch }) => isTooMuch)) endWith("failure");
  }),
});

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.001 && share > 0 ? 4 : 2)} %`;

function leakageTable(indexes: readonly IndexLeakage[], terminal: Terminal): string {
  if (indexes.length === 0) return "The collection has no index that is ready.";
  return renderTable(
    [
      { heading: "INDEX" },
      { heading: "TAGS", align: "right" },
      { heading: "VALUES", align: "right" },
      { heading: "NAMED", align: "right" },
      { heading: "GUESSED", align: "right" },
      { heading: "ACCEPTED" },
    ],
    indexes.map(({ index, tags, values, named, guessed, isAccepted, isTooMuch }) => [
      ...[index, tags.toLocaleString("en"), values.toLocaleString("en")],
      isTooMuch ? terminal.style("red", percent(named)) : percent(named),
      percent(guessed),
      isAccepted ? "yes" : isTooMuch ? terminal.style("red", "no: more than is left unaccepted") : "not needed",
    ]),
    terminal.width,
  );
}
