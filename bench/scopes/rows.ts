// What is measured of the scopes, and what is asked of it: a vault with a key store in each scope, beside the same rows
// in clear.

import type { Scope } from "@strongroom/vault";

import type { Pace } from "../harness/row.ts";
import {
  OF_CLEAR,
  type ContenderId,
  type Effort,
  type StoreKind,
  type StoreRow,
  type StoreTarget,
  type WorkId,
} from "../stores/rows.ts";

export const SCOPES: readonly Scope[] = ["record", "subject", "tenant"];

/** People that the records which are there are about, each about as many. */
export const PEOPLE = 2_000;

/** Of a call to the stub of a KMS, in milliseconds, where keys are not in memory. */
export const ROUND_TRIP_MS = 5;

/** Keys that fit into memory where they are not to be there: of so many people one in thirty is met again. */
export const FEW_KEYS = 64;

const STORES: readonly StoreKind[] = ["sqlite", "postgres"];

/** In the order of the tables. */
const LOADS: readonly { readonly work: WorkId; readonly atOnce: number }[] = [
  { work: "batch", atOnce: 1 },
  { work: "newcomers", atOnce: 1 },
  { work: "get", atOnce: 64 },
  { work: "get", atOnce: 1 },
  { work: "cold", atOnce: 64 },
  { work: "cold", atOnce: 1 },
];

export const SCOPE_ROWS: readonly StoreRow[] = STORES.flatMap((store) =>
  LOADS.map(({ work, atOnce }): StoreRow => {
    const id = `${store}-${work}-${atOnce}x1`;
    // Nothing of the rows in clear is ever cold.
    const contenders: readonly ContenderId[] = work === "cold" ? SCOPES : [...SCOPES, "people"];
    return { id, store, work, processes: 1, atOnce, contenders, targets: targetsOf(id) };
  }),
);

/** The same as is asked of the stores: of hot gets at 64 at once, and of batches about people who are known. */
function targetsOf(row: string): readonly StoreTarget[] {
  const atLeast = OF_CLEAR[row];
  return atLeast === undefined ? [] : SCOPES.map((of) => ({ kind: "ratio", of, row, contender: "people", atLeast }));
}

export const SCOPE_EFFORTS: Readonly<Record<Pace, Effort>> = {
  full: { rounds: 3, warmupMs: 700, measureMs: 1_200, records: 10_000, growth: [], starts: 0 },
  quick: { rounds: 1, warmupMs: 50, measureMs: 200, records: 1_000, growth: [], starts: 0 },
};
