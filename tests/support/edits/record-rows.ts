/**
 * The rows that a record has in the record store, and which records some rows are of.
 */
import type { Hand, Row, Table } from "../swaps/hand.ts";
import { isSame } from "../swaps/hand.ts";
import { RECORDS } from "./world.ts";
import type { TrialRecord } from "./world.ts";
import type { Change } from "./change.ts";

/** A record's rows, by table. */
export interface RecordRows {
  readonly record: Row;
  readonly head: Row;
  /** In the order of versions. */
  readonly versions: readonly Row[];
  readonly links: readonly Row[];
}

export const tableOf = ({ tables }: Pick<Hand, "tables">, name: string): Table => {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`there is no table ${name}`);
  return table;
};

/** Name of the column that is a record's number. */
const numberColumn = (hand: Pick<Hand, "tables">): string => tableOf(hand, "records").key[0] ?? "";

/** Rows of a record; null: it was not there yet. Rows of records are in the order in which they were written first. */
export function rowsOf(hand: Pick<Hand, "tables">, of: TrialRecord, order: readonly TrialRecord[]): RecordRows | null {
  const record = tableOf(hand, "records").rows[order.indexOf(of)];
  if (record === undefined) return null;
  const number = record[numberColumn(hand)];
  const own = (name: string): readonly Row[] => tableOf(hand, name).rows.filter((row) => isSame(row["record"], number));
  const [head] = own("heads");
  if (head === undefined) return null;
  const versions = own("versions").toSorted((one, other) => Number(one["version"]) - Number(other["version"]));
  return { record, head, versions, links: own("links") };
}

/** The records in the order of their rows: those of the second step come last. */
export const WRITTEN: readonly TrialRecord[] = [
  ...RECORDS.filter(({ steps }) => steps[0].writes > 0),
  ...RECORDS.filter(({ steps }) => steps[0].writes === 0),
];

/** Records whose rows a change touches; null: it touches others as well, which may be behind all of them. */
export function recordsOf({ edits }: Change, hand: Pick<Hand, "tables">): readonly TrialRecord[] | null {
  const { rows } = tableOf(hand, "records");
  const numberOf: Readonly<Record<string, (row: Row) => unknown>> = {
    records: (row) => row[numberColumn(hand)],
    heads: ({ record }) => record,
    versions: ({ record }) => record,
    links: ({ record }) => record,
  };
  const found = new Set<TrialRecord>();
  for (const { place, table, gone, put } of edits) {
    if (place !== "records" && OF_LOG.has(table)) continue;
    if (place === "records" && OF_OUTBOX.has(table)) continue;
    for (const row of [...gone, ...put]) {
      const number = place === "records" ? numberOf[table]?.(row) : undefined;
      const one = WRITTEN[rows.findIndex((other) => isSame(other[numberColumn(hand)], number))];
      if (one === undefined && gone.includes(row)) return null;
      if (one !== undefined) found.add(one);
    }
  }
  return found.size === 0 ? null : [...found];
}

/** Rows that come with a record's. */
const OF_OUTBOX: ReadonlySet<string> = new Set(["outbox", "streams"]);
const OF_LOG: ReadonlySet<string> = new Set(["addresses", "messages"]);
