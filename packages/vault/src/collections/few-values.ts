/**
 * The gate against indexes that tell what they hide. The tags of a database are equal where the values are: of a field
 * with few values, whoever has the database and knows how often each comes in the population knows which is which
 * (docs/search.md has what that came to). It is asked before there is any record, by what is declared.
 */
import type { FieldOptions } from "./fields.ts";

/** So many different values there must be. */
export const FEW_VALUES = 1_000;

/** Kinds of which there are so many values as a rule; of others it must be declared. */
const VALUES_OF_KIND: Readonly<Record<string, number>> = {
  email: 1_000_000,
  phone: 1_000_000,
  postcode: 5_000,
  date: 20_000,
};

/** How many ranges of dates people were born in. */
const DATE_RANGES: Readonly<Record<"day" | "month" | "year", number>> = { day: 30_000, month: 1_000, year: 100 };

/** Letters that names and words mostly begin with. */
const LETTERS = 20;

/** Fields that are one index together. */
export interface Together {
  readonly together: readonly FieldOptions[];
  readonly unique: boolean;
  readonly leaks?: "accepted";
}

/** What is wrong with it, unless that it leaks is accepted. */
export function fewValues(index: FieldOptions | Together): readonly string[] {
  if (index.leaks === "accepted") return [];
  if ("together" in index) {
    const values = index.together.reduce((product, field) => product * (valuesOf(field) ?? 1), 1);
    return index.unique || values >= FEW_VALUES ? [] : [refusal("of these fields together", values)];
  }
  const { alone, prefix, buckets } = index;
  if (alone === false) return [];
  const values = valuesOf(index);
  if (values === null)
    return [
      `it must be declared about how many different values there are (values); below ${FEW_VALUES} only with ` +
        'leaks: "accepted"',
    ];
  const prefixes = prefix === undefined ? values : Math.min(values, LETTERS ** prefix);
  const ranges = typeof buckets === "string" ? Math.min(values, DATE_RANGES[buckets]) : values;
  return [
    ...(values < FEW_VALUES ? [refusal("of it", values)] : []),
    ...(prefixes < FEW_VALUES && values >= FEW_VALUES ? [refusal(`of its first ${prefix} characters`, prefixes)] : []),
    // How many numbers fall into one range is known to nobody here.
    ...(typeof buckets === "number" ? ['ranges of numbers are few as a rule: only with leaks: "accepted"'] : []),
    ...(ranges < FEW_VALUES && values >= FEW_VALUES ? [refusal(`of ranges of a ${buckets}`, ranges)] : []),
  ];
}

/** Null: it must be declared. Each of the values of a unique field comes once. */
function valuesOf({ find, unique = false, values }: FieldOptions): number | null {
  if (values !== undefined) return values;
  if (unique) return Number.MAX_SAFE_INTEGER;
  return VALUES_OF_KIND[find?.kind ?? ""] ?? null;
}

const refusal = (what: string, values: number): string =>
  `there are about ${values} different values ${what}, fewer than ${FEW_VALUES}: whoever has the database sees by how ` +
  'often each comes which is which. Leave it out, find it together with other fields, or declare leaks: "accepted"';
