/**
 * Whole stores put back to a copy of before, one, two or all three of them: at rest, before a vault is opened, and while
 * one is open; with a witness that has seen the newest checkpoint, and without one.
 */
import { outcomeOf, readNewest } from "./answers.ts";
import { carried, codeOf, COMPARED_MS } from "./trial.ts";
import { PLACES, vaultOver } from "./site.ts";
import type { Place, Stores, VaultMaker } from "./site.ts";

/** A vault whose stores may be put back to an older copy. */
export interface SetBackDomain {
  readonly make: VaultMaker;
  /** The stores as they are newest, of which some are put back before they are opened; and how more are, meanwhile. */
  readonly begin: (
    atRest: readonly Place[],
  ) => Promise<{ readonly stores: Stores; readonly setBack: (places: readonly Place[]) => Promise<void> }>;
  /** The newest checkpoint: what a witness has seen. */
  readonly newest: string;
}

export const MOMENTS_OF_SETTING_BACK = ["at rest", "while it is open"] as const;

/** What became of it. */
export interface SetBackResult {
  readonly places: readonly Place[];
  readonly when: (typeof MOMENTS_OF_SETTING_BACK)[number];
  readonly witness: boolean;
  /** Codes of what was refused; empty: nothing was. */
  readonly refused: readonly string[];
  readonly alarms: readonly string[];
  /** Codes of what kept entries from the log. */
  readonly faults: readonly string[];
  /** Wrong answers that were given. */
  readonly wrong: number;
}

/** Each of them, each pair, and all. */
export const SUBSETS: readonly (readonly Place[])[] = [
  ...PLACES.map((place) => [place]),
  ...PLACES.map((place) => PLACES.filter((other) => other !== place)),
  PLACES,
];

/** Tries each. */
export async function setBackAll(domain: SetBackDomain): Promise<readonly SetBackResult[]> {
  const results: SetBackResult[] = [];
  for (const places of SUBSETS)
    for (const when of MOMENTS_OF_SETTING_BACK)
      for (const witness of [false, true])
        results.push({ places, when, witness, ...(await trySetBack(domain, { places, when, witness })) });
  return results;
}

async function trySetBack(
  { make, begin, newest }: SetBackDomain,
  { places, when, witness }: Pick<SetBackResult, "places" | "when" | "witness">,
): Promise<Pick<SetBackResult, "refused" | "alarms" | "faults" | "wrong">> {
  const begun = await begin(when === "at rest" ? places : []);
  const { stores } = begun;
  try {
    const opened = await outcomeOf(() => vaultOver(stores, { ...make, witnesses: witness ? [witnessOf(newest)] : [] }));
    if ("code" in opened) return { refused: [opened.code], alarms: [], faults: [], wrong: 0 };
    const { vault, alarms, faults } = opened.result;
    try {
      if (when !== "at rest") {
        await readNewest(vault, "all");
        await carried(stores, opened.result);
        await begun.setBack(places);
      }
      const answers = await readNewest(vault, "all");
      opened.result.later(COMPARED_MS);
      await carried(stores, opened.result);
      answers.add(await readNewest(vault, "all"));
      const codes = new Set(alarms.map(({ code }) => code));
      return {
        refused: [...answers.refused].sort(),
        alarms: [...codes].sort(),
        faults: [...new Set(faults.map(codeOf))].sort(),
        wrong: answers.wrong.length,
      };
    } finally {
      await vault.close();
    }
  } finally {
    await stores.close();
  }
}

type Witness = NonNullable<VaultMaker["witnesses"]>[number];

/** Has seen one checkpoint, and remembers what it is told. */
function witnessOf(newest: string): Witness {
  let note = newest;
  const name = "the witness";
  return {
    name,
    pauseMs: 1,
    examine: async (log) => {
      const size = await log.compare(note, name);
      return size === 0 ? { kind: "nothing" } : { kind: "seen", size };
    },
    record: async (head) => {
      ({ note } = head);
    },
    read: async () => note,
  };
}

const NAMES: Readonly<Record<Place, string>> = { records: "records", keys: "keys", audit: "the audit's log" };

/** What it came to, as a part of the page. */
export function setBackSection(results: Readonly<Record<string, readonly SetBackResult[]>>): string {
  const columns = MOMENTS_OF_SETTING_BACK.flatMap((when) => [false, true].map((witness) => ({ when, witness })));
  const headings = columns.map(({ when, witness }) => `${when}${witness ? ", with a witness" : ""}`);
  const sections = Object.entries(results).map(([title, all]) => {
    const lines = SUBSETS.map((places) => {
      const cells = columns.map(({ when, witness }) => {
        const result = all.find(
          (one) => one.when === when && one.witness === witness && String(one.places) === String(places),
        );
        return result === undefined ? "" : setBackCell(result);
      });
      return `| ${places.map((place) => NAMES[place]).join(", ")} | ${cells.join(" | ")} |`;
    });
    return `### ${title}

| set back | ${headings.join(" | ")} |
| --- | ${headings.map(() => "---").join(" | ")} |
${lines.join("\n")}
`;
  });
  return `## Whole stores

Each store, each two of them and all three put back to a copy of before the second half of the changes: before a vault is opened, and
while one is open that has read everything. *A witness* keeps the newest checkpoint elsewhere (\`audit.witnesses\`).

${sections.join("\n")}`;
}

/** What tells of it first. */
export function setBackCell({ refused, alarms, faults, wrong }: SetBackResult): string {
  const [first] = [refused, alarms].filter(({ length }) => length > 0);
  const told = first?.map((code) => `\`${code}\``).join(", ");
  const unable = faults.map((code) => `\`${code}\``).join(", ");
  const said = told ?? (unable === "" ? "nothing" : `all answers right; nothing is carried: ${unable}`);
  return wrong > 0 ? `**older documents**; ${said}` : said;
}
