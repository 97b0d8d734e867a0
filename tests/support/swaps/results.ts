/**
 * What was tried and what refused it, counted by kind of change and by scope, as a page.
 */
import type { Scope } from "@strongroom/vault";
import type { Change, Pairs, Place } from "./changes.ts";
import type { Outcome } from "./trial.ts";

export const SCOPES: readonly Scope[] = ["record", "subject", "tenant"];

/** One change that was tried. */
export interface Result {
  readonly scope: Scope;
  readonly change: Change;
  readonly outcome: Outcome;
}

const HEADINGS: Readonly<Record<Place | "both", string>> = {
  records: "In the record store",
  keys: "In the key store",
  both: "In both",
};

function headingOf({ edits }: Change): string {
  const places = [...new Set(edits.map(({ place }) => place))];
  return HEADINGS[places.length === 1 ? places[0]! : "both"];
}

/** The page: a table of each database, a line for each kind of change. */
export function swapsPage(
  results: readonly Result[],
  { rerun, records, pairs }: { readonly rerun: string; readonly records: number; readonly pairs: Pairs },
): string {
  const count = (kind: Outcome["kind"]): string =>
    numberOf(results.filter(({ outcome }) => outcome.kind === kind).length);
  return `# What was exchanged in the databases, and what refused it

Written by \`${rerun}\`; do not edit. ${records} records of three people in five collections (one with sealed ids, one about
nobody, some records about several people, several versions and retired keys) in each scope, over the project's own KMS with three
regions. A hand that may write to both databases makes one change at a time: exchanges between two rows of a table, of each column
alone, of columns that belong together and of whole rows, and what else is named below; of each exchange ${pairs === "all" ? "every pair of rows" : `${pairs} pairs of rows, spread over all`}.

After each change of keys or people every record is read by a vault that has all keys in memory and by one that has none, and written
once by another one that has none; after a change of records' rows, which are in no memory, those records by the vault that has all. A
new record of each person is written too. Then the key store is made right again, and what was written must open under its own person's
key and be about them. Of ${numberOf(results.length)} changes ${count("refused")} were refused, ${count("no-such-row")} the database itself did not take, and ${count("right")} changed nothing
that anybody reads: all answers were right. No answer held another record's document, and nothing of one person was sealed under
another's key.

Not bound to anything, and so exchanged unnoticed: when a version was written, which records are listed as a person's, and what the
database keeps for itself. A region's wrap that does not open is made good for by another region's.

In a cell: refused / not taken by the database / all answers right.
${Object.values(HEADINGS)
  .map((heading) =>
    section(
      heading,
      results.filter(({ change }) => headingOf(change) === heading),
    ),
  )
  .join("")}`;
}

/** What a page says of each kind of change in each scope: whether some such changes were of no effect. */
export function effectsIn(page: string): ReadonlyMap<string, { readonly hasRight: boolean }> {
  const found = new Map<string, { readonly hasRight: boolean }>();
  let heading = "";
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) heading = line.slice(3);
    const [, kind, ...cells] =
      line.split(" | ").length > SCOPES.length ? line.split("|").map((cell) => cell.trim()) : [];
    if (kind?.startsWith("`") !== true) continue;
    for (const [index, scope] of SCOPES.entries())
      if (cells[index] !== undefined && cells[index] !== "")
        found.set(effectName(heading, kind.slice(1, -1), scope), { hasRight: !cells[index].endsWith(" 0") });
  }
  return found;
}

/** Under which name a page has what became of a result's kind of change. */
export const effectOf = ({ change, scope }: Result): string => effectName(headingOf(change), change.kind, scope);

const effectName = (heading: string, kind: string, scope: Scope): string => `${heading}, ${scope} scope: ${kind}`;

function section(heading: string, results: readonly Result[]): string {
  const lines = [...Map.groupBy(results, ({ change }) => change.kind)].map(([kind, all]) => {
    const cells = SCOPES.map((scope) => cellOf(all.filter((result) => result.scope === scope)));
    return `| \`${kind}\` | ${cells.join(" | ")} | ${codesOf(all)} |`;
  });
  return `
## ${heading}

| what was exchanged | ${SCOPES.join(" | ")} | refused with |
| --- | ---: | ---: | ---: | --- |
${lines.join("\n")}
`;
}

function cellOf(results: readonly Result[]): string {
  if (results.length === 0) return "";
  const count = (kind: Outcome["kind"]): number => results.filter(({ outcome }) => outcome.kind === kind).length;
  return `${count("refused")} / ${count("no-such-row")} / ${count("right")}`;
}

/** Codes, those that come oftenest first. */
function codesOf(results: readonly Result[]): string {
  const codes = results.flatMap(({ outcome }) => (outcome.kind === "refused" ? outcome.codes : []));
  return [...Map.groupBy(codes, (code) => code)]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([code, { length }]) => `\`${code}\` ${length}`)
    .join(", ");
}

const numberOf = (count: number): string => new Intl.NumberFormat("en").format(count);
