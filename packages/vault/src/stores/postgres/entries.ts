/**
 * Entries of the audit as the arguments of the functions that write them (functions/streams.ts).
 */
import type { OutboxEntry, UnitEntry } from "../outbox.ts";
import type { Unit } from "../units.ts";
import { cutsOf, joined } from "./sent-bytes.ts";

/** The arrays and values of entries, in the order of the functions. */
export function entryArguments(entries: readonly OutboxEntry[]): unknown[] {
  const texts = entries.map(({ text }) => text);
  const { starts, sizes } = cutsOf(texts);
  return [
    entries.map(({ id }) => id),
    entries.map(({ stream }) => stream),
    entries.map(({ number }) => number),
    entries.map(({ ends }) => ends),
    entries.map(({ tag }) => tag),
    joined(entries.map(({ mac }) => mac)),
    starts,
    sizes,
    joined(texts),
  ];
}

/** The entries of units, in the order in which a caller gave these. */
export const entriesOf = (units: readonly Unit[]): readonly UnitEntry[] => units.flatMap(({ entry }) => entry ?? []);

/** What the head must have as its entry, or `none`; null: it is not compared. */
export function previousOf({ entry, base }: Unit): string | null {
  if (entry === undefined || base === "damaged") return null;
  return entry.previous ?? "none";
}
