// What the demo's people have filed: invented, and the same in each run. Whoever made a filing owns it; a letter is
// about nobody, and hangs on the keys of the regions themselves.

/** A document, by its id. */
export interface Paper {
  readonly id: string;
  readonly name: string;
  readonly taxNumber: string;
  readonly text: string;
}

/** Filings, each about somebody with a key of their own; letters, each under the regions' keys. */
export const COUNTS = { filings: 100, letters: 50 } as const;

/** A collection of the demo. */
export type Collection = keyof typeof COUNTS;

const NAMES = ["Ada Fern", "Bo Lark", "Cy Quill", "Dot Reed", "Eli Marsh", "Fay Thorn", "Gus Heath", "Hal Birch"];
const TRADES = ["Bakery", "Bicycles", "Books", "Boats", "Clocks", "Kites", "Roofing", "Seeds", "Tailoring", "Tea"];

/** All papers of a collection. */
export function papersOf(collection: Collection): readonly Paper[] {
  return Array.from({ length: COUNTS[collection] }, (_, index) => paperOf(collection, index));
}

function paperOf(collection: Collection, index: number): Paper {
  const name = `${NAMES[index % NAMES.length] ?? ""} ${TRADES[index % TRADES.length] ?? ""}`;
  const number = String(index + 1).padStart(3, "0");
  return {
    id: `${collection.slice(0, 1)}-${number}`,
    name,
    taxNumber: `22-${String(1_000_003 * (index + 7))
      .slice(-7)
      .padStart(7, "0")}`,
    text: `${name}, ${collection} ${number}: `.padEnd(120, "as filed and stamped; "),
  };
}
