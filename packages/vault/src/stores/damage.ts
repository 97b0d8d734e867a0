/**
 * Rows that hold what no vault writes. A store reads such a column as null; here it is named, so that the record is
 * told as damaged and nothing else fails.
 */

/** Which of these columns are damaged: null when none is. */
export function damageOf(columns: Readonly<Record<string, unknown>>): string | null {
  const damaged = Object.keys(columns).filter((name) => columns[name] === null);
  return damaged.length === 0 ? null : damaged.join(", ");
}

/** The columns when all of them are whole; otherwise which of them are damaged, by their names in `table`. */
export function wholeOr<Columns extends object>(
  table: string,
  columns: { readonly [Name in keyof Columns]: Columns[Name] | null },
): Columns | string {
  const named = Object.entries(columns).map(([name, value]) => [`${table}.${name}`, value]);
  return damageOf(Object.fromEntries(named) as Readonly<Record<string, unknown>>) ?? (columns as Columns);
}
