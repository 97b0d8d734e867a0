/**
 * Changes of one column of one row: to what a row beside it has, to another value of its kind, to one that is one less,
 * to nothing, and to rubbish. And of one row: that it is taken away.
 */
import { spread } from "../swaps/changes.ts";
import { isSame } from "../swaps/hand.ts";
import type { Hand, Row, Table } from "../swaps/hand.ts";
import type { Place } from "./site.ts";
import type { Change } from "./change.ts";

/** What a column may hold instead. */
const STATES: readonly (readonly string[])[] = [
  ["live", "removed"],
  ["active", "restricted", "erasing", "erased"],
  ["made", "void"],
  ["free", "held", "finished"],
  ["records", "keys"],
  ["heads", "versions", "moved"],
];

/** Every column and every row of a store's tables, of so many rows of each table. */
export function columnChanges(place: Place, { tables }: Pick<Hand, "tables">, rows: number): readonly Change[] {
  return tables.flatMap((table) => {
    const { name, columns } = table;
    const some = spread(table.rows, rows);
    return [
      ...columns.flatMap((column) =>
        some.flatMap((row) =>
          valuesFor(table, row, column).map(([, value]): Change => ({
            kind: `${name}.${column}`,
            edits: [{ place, table: name, gone: [row], put: [{ ...row, [column]: value }] }],
          })),
        ),
      ),
      ...some.map((row): Change => ({ kind: `${name}: a row`, edits: [{ place, table: name, gone: [row], put: [] }] })),
    ];
  });
}

type Value = readonly [how: string, value: unknown];

function valuesFor({ rows }: Table, row: Row, column: string): readonly Value[] {
  const now = row[column];
  const kept: Value[] = [];
  const add = (how: string, value: unknown): void => {
    if (value !== undefined && !isSame(value, now) && !kept.some(([, other]) => isSame(other, value)))
      kept.push([how, value]);
  };
  const at = rows.indexOf(row);
  const others = [...rows.slice(at + 1), ...rows.slice(0, at)];
  const beside = others.find((other) => other[column] !== null && !isSame(other[column], now));
  add("of a row beside", beside?.[column]);
  const like = now ?? beside?.[column] ?? "rubbish";
  for (const [how, value] of othersLike(like)) add(how, value);
  add("null", null);
  return kept;
}

function othersLike(value: unknown): readonly Value[] {
  if (typeof value === "bigint" || typeof value === "number") {
    const number = BigInt(value);
    return [
      ["one more", number + 1n],
      ["one less", number - 1n],
      ["rubbish", 1n << 40n],
    ];
  }
  if (typeof value === "boolean") return [["the other", !value]];
  if (typeof value === "string") {
    const states = STATES.find((some) => some.includes(value)) ?? [];
    return [
      ...states.map((state): Value => ["another state", state]),
      ["another", `${value.slice(0, -1)}${value.endsWith("A") ? "B" : "A"}`],
      ["rubbish", "rub\u0007bish"],
    ];
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    const last = bytes.length - 1;
    return [
      ...(last < 0
        ? []
        : [["another", Buffer.concat([bytes.subarray(0, last), Buffer.of(bytes[last]! ^ 1)])] as const]),
      ["cut", bytes.subarray(0, Math.max(0, last))],
      ["rubbish", Buffer.from("rubbish")],
    ];
  }
  return [];
}
