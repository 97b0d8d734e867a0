/**
 * Exchanges in the two databases, one at a time: of one column between two rows, of columns that belong together, of
 * whole rows.
 */
import type { Hand, Row, RowEdit, Table } from "./hand.ts";
import { isSame } from "./hand.ts";

/** Which of the two databases. */
export type Place = "records" | "keys";

/** Rows of one of the databases. */
export interface Edit extends RowEdit {
  readonly place: Place;
}

/** One change. */
export interface Change {
  /** What the results count it as. */
  readonly kind: string;
  readonly edits: readonly Edit[];
}

/** Columns that are exchanged together, by table. Each column alone and whole rows are exchanged in any case. */
export type Together = Readonly<Record<string, readonly (readonly string[])[]>>;

/** How many pairs of rows are tried of each kind: all of them, or so many, spread over all. */
export type Pairs = "all" | number;

/** Every exchange between two rows of each table. */
export function exchanges(place: Place, { tables }: Hand, together: Together, pairs: Pairs): readonly Change[] {
  return tables.flatMap((table) => {
    const { name, columns, key } = table;
    const rest = columns.filter((column) => !key.includes(column));
    // Exchanging a key of one column is exchanging all the others.
    const groups = [
      ...(key.length > 1 || rest.length === 0 ? columns : rest).map((column) => [column]),
      ...(key.length > 1 ? [key] : []),
      ...(rest.length > 1 ? [rest] : []),
      ...(together[name] ?? []),
    ];
    return groups.flatMap((group) => {
      const kind = `${name}: ${group === rest ? "whole rows" : group.join(", ")}`;
      const found = pairsOf(table).filter(([one, other]) =>
        group.some((column) => !isSame(one[column], other[column])),
      );
      return spread(found, pairs).map(([one, other]): Change => {
        const put = [
          { ...one, ...pick(other, group) },
          { ...other, ...pick(one, group) },
        ];
        return { kind, edits: [{ place, table: name, gone: [one, other], put }] };
      });
    });
  });
}

function pairsOf({ rows }: Table): readonly (readonly [Row, Row])[] {
  return rows.flatMap((one, index) => rows.slice(index + 1).map((other) => [one, other] as const));
}

/** So many of a list, as far from each other as may be. */
export function spread<T>(list: readonly T[], count: Pairs): readonly T[] {
  if (count === "all" || list.length <= count) return list;
  return Array.from({ length: count }, (_, index) => list[Math.floor(((index + 0.5) * list.length) / count)]!);
}

const pick = (row: Row, columns: readonly string[]): Row =>
  Object.fromEntries(columns.map((column) => [column, row[column]]));
