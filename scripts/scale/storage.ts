// What people take in the three stores, from the sizes of rows that were measured (row-sizes.ts): how much lies there,
// and what a change of the key set adds for a while and writes.
import type { MeasuredSizes, Sizes } from "./row-sizes.ts";
import { wrappedKeys, type Population, type Scope, type StoreKind } from "./model.ts";
import type { Numbers } from "./assumptions.ts";

/** Bytes of everybody's records, keys and the entries of their writes; of reads, none. */
export function storageOf(
  { rows }: MeasuredSizes,
  store: StoreKind,
  scope: Scope,
  { people, records, versions }: Population,
): Sizes {
  const { person, record, version } = rows[store][scope];
  const of = (part: keyof Sizes): number =>
    people * person[part] + (records - people) * record[part] + (versions - records) * version[part];
  return { records: of("records"), keys: of("keys"), audit: of("audit") };
}

/** Bytes that the log grows by in a day of traffic. */
export function auditPerDay(
  { rows }: MeasuredSizes,
  store: StoreKind,
  scope: Scope,
  { people, visitsPerDay, readsPerVisit, writesPerVisit }: Numbers & { readonly people: number },
): number {
  const { read, version } = rows[store][scope];
  return people * visitsPerDay * (readsPerVisit * read.audit + writesPerVisit * version.audit);
}

/** What another key set for everything does to the stores, in bytes. */
export interface RotationBytes {
  /** Of items, each for itself. */
  readonly item: number;
  /** That lie there besides until old wraps and messages are dropped. */
  readonly kept: number;
  /** Of wraps and messages that are written, what the database adds for itself left out, and of entries of the audit. */
  readonly written: number;
  readonly entries: number;
}

export function rotationBytes(
  sizes: MeasuredSizes,
  store: StoreKind,
  scope: Scope,
  population: Population,
  numbers: Numbers,
): RotationBytes {
  const keys = wrappedKeys(scope, population, numbers);
  const versions = scope === "record" ? population.versions : 0;
  const wraps = (sizes.wrapsBytes / sizes.regions) * numbers.regions;
  const message = sizes.messageBytes.record;
  const item = scope === "record" ? message : wraps;
  return {
    item,
    kept: keys * wraps + versions * message,
    // A key's row with both sets of wraps, then with the new one; a new message, and the old one where it is kept.
    written: keys * 3 * wraps + versions * 2 * message,
    entries: (keys + versions) * sizes.rows[store][scope].read.audit,
  };
}
