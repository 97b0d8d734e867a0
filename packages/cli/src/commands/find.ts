// `strongroom find`: records by their fields. What is looked for is personal data: it comes from standard input or a
// file, never from the command line, which other users of the machine and the shell's history can read.
import { given, text, texts, wholeNumberOr } from "@strongroom/base/command";
import { printable, printableJson, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { FindExplanation, FindQuery, FoundCount, FoundRecord } from "@strongroom/client";
import { parseJson } from "@strongroom/vault";
import {
  command,
  type CommandContext,
  type CommandSpec,
  option,
  readPage,
  requireUndamaged,
  withService,
} from "../command.ts";
import { CliError } from "../errors.ts";
import { readWhole } from "../input-output.ts";
import { WHY_OPTIONS } from "./audit-options.ts";

/** More than any service takes. */
const LONGEST_QUERY = 1024 * 1024;

/** `strongroom find`. */
export const findCommand: CommandSpec = command({
  name: "find",
  args: "<collection>",
  heading: "Records",
  summary: "find records by the fields that their collection declares",
  description:
    'What is looked for is a JSON object: {"email":"ada@example.com"}, {"name":{"prefix":"lov"}}, ' +
    '{"born":{"from":"1815-01-01","to":"1815-12-31"}}; of several fields, records that meet all. It comes from ' +
    "standard input or a file, never from the command line, where every process of the machine could read it. In a " +
    "pipe each record is one line of JSON. The audit has the names of the fields, not what was looked for.",
  flagGroups: ["client"],
  options: {
    query: option("-q, --query <file>", "file that says what is looked for (default: standard input)", text()),
    fields: option("--fields <path...>", "show these fields alone, as address.postcode; repeat for several", texts()),
    limit: option("--limit <n>", "records opened for a page (default: 20)", wholeNumberOr(20, 1, 500)),
    cursor: option("--cursor <cursor>", "continue where the last page ended", text()),
    all: option("--all", "every page", given()),
    count: option("--count", "say how many there are at most, and open none", given()),
    explain: option("--explain", "say by which indexes it is answered, and read nothing", given()),
    tenant: option("--tenant <name>", "whose records (default: as the collection declares)", text()),
    ...WHY_OPTIONS,
  },
  examples: [
    {
      line: 'echo \'{"email":"ada@example.com"}\' | npx strongroom find customers',
      meaning: "by an address, however it is written",
    },
    { line: "npx strongroom find customers --query query.json --fields name email", meaning: "some fields alone" },
    { line: "npx strongroom find customers --query query.json --explain", meaning: "by which indexes" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [collection = ""] = args;
    const { terminal } = context;
    const { fields, tenant } = options;
    if (options.count && options.explain)
      throw new CliError("usage", { detail: "--count and --explain exclude each other." });
    if (options.query === undefined && terminal.stdin.isTTY)
      terminal.say('Type what is looked for, as {"email":"ada@example.com"}, and end with Ctrl-D:');
    const query = await readQuery(options.query ?? "-", context);
    if (options.explain) {
      const explanation = await client.records.explain(collection, query);
      terminal.result(explanation, (shown) => explanationView(shown, terminal));
      return;
    }
    if (options.count) {
      terminal.result(await client.records.count(collection, query, { tenant }), countView);
      return;
    }
    const listing = await readPage(client.records.find(collection, query, { fields, tenant }), options);
    // In a pipe nothing is no line at all.
    if (listing.items.length === 0 && terminal.mode === "human") terminal.say("No record is found.");
    else terminal.result({ collection, ...listing }, ({ items }) => recordsView(items, terminal));
    if (listing.next !== null)
      terminal.say(`There may be more: the same with --cursor ${printable(listing.next, 600)} (or --all)`);
    requireUndamaged(listing);
  }),
});

/** The parser's own message would quote it. */
async function readQuery(path: string, context: CommandContext): Promise<FindQuery> {
  const bytes = await readWhole(path, context, { what: "query", longest: LONGEST_QUERY });
  try {
    const query: unknown = parseJson(bytes);
    if (typeof query === "object" && query !== null && !Array.isArray(query)) return query as FindQuery;
  } catch {
    // Told below.
  } finally {
    bytes.fill(0);
  }
  throw new CliError("input-invalid", {
    detail: "What is looked for is not a JSON object.",
    remedy: 'It has the paths of fields and their values: {"email":"ada@example.com"}.',
  });
}

const countView = ({ atMost, isCapped }: FoundCount): string =>
  isCapped ? `${atMost.toLocaleString("en")} or more` : `${atMost.toLocaleString("en")} at most`;

/** For a person each record with its id above it, in a pipe a line each. */
function recordsView(items: readonly FoundRecord[], terminal: Terminal): string {
  if (!terminal.stdout.isTTY) return items.map(({ collection: _, ...record }) => printableJson(record)).join("\n");
  return items
    .map(
      ({ id, version, document }) =>
        `${terminal.style("bold", printable(id, 600))}  version ${version}\n${printableJson(document, 2)}`,
    )
    .join("\n");
}

function explanationView({ indexes, compared }: FindExplanation, terminal: Terminal): string {
  const table = renderTable(
    [{ heading: "INDEX" }, { heading: "FIELDS" }, { heading: "TAGS", align: "right" }],
    indexes.map(({ name, fields, tags }) => [name, fields.join(", "), tags.toLocaleString("en")]),
    terminal.width,
  );
  const last =
    compared.length === 0
      ? "Every record that is found is opened and compared again."
      : `Compared in the opened records alone: ${compared.map((path) => printable(path)).join(", ")}.`;
  return indexes.length === 0 ? "The collection has no record." : `${table}\n${last}`;
}
