// What is measured of the audit, and what is asked of it: a vault with a key store and an audit, beside the same vault
// without one, and beside the same rows in clear.

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

const STORES: readonly StoreKind[] = ["sqlite", "postgres"];
const SEVERAL: readonly number[] = [1, 2, 4];
const ONE: readonly number[] = [1];

/** In the order of the tables. */
const LOADS: readonly { readonly work: WorkId; readonly atOnce: number; readonly processes: readonly number[] }[] = [
  { work: "get", atOnce: 64, processes: SEVERAL },
  { work: "get", atOnce: 1, processes: SEVERAL },
  { work: "batch", atOnce: 1, processes: SEVERAL },
  { work: "served", atOnce: 64, processes: ONE },
  { work: "served", atOnce: 1, processes: ONE },
];

/** What a get may take longer than one durable commit beside it, in milliseconds. */
const MORE_MS = 0.3;
/** What the service does with the audit, of what it does without. */
const SERVED_AT_LEAST = 0.5;

export const AUDIT_ROWS: readonly StoreRow[] = STORES.flatMap((store) =>
  LOADS.flatMap(({ work, atOnce, processes: counts }) =>
    counts.map((processes): StoreRow => {
      const id = `${store}-${work}-${atOnce}x${processes}`;
      const row = { id, store, work, processes, atOnce };
      return { ...row, contenders: contendersOf(row), targets: targetsOf(row) };
    }),
  ),
);

type Row = Omit<StoreRow, "contenders" | "targets">;

function isAlone({ work, atOnce, processes }: Row): boolean {
  return work === "get" && atOnce === 1 && processes === 1;
}

function contendersOf(row: Row): readonly ContenderId[] {
  if (row.work === "served") return ["audited", "unaudited"];
  return ["audited", "unaudited", "people", ...(isAlone(row) ? (["commit"] as const) : [])];
}

function targetsOf(row: Row): readonly StoreTarget[] {
  const of = "audited";
  const atLeast = OF_CLEAR[row.id];
  if (atLeast !== undefined) return [{ kind: "ratio", of, row: row.id, contender: "people", atLeast }];
  if (row.work === "served" && row.atOnce > 1)
    return [{ kind: "ratio", of, row: row.id, contender: "unaudited", atLeast: SERVED_AT_LEAST }];
  return isAlone(row) ? [{ kind: "added", of, beside: "unaudited", commit: "commit", moreMs: MORE_MS }] : [];
}

export const AUDIT_EFFORTS: Readonly<Record<Pace, Effort>> = {
  full: { rounds: 3, warmupMs: 1_000, measureMs: 2_000, records: 10_000, growth: [], starts: 0 },
  quick: { rounds: 1, warmupMs: 50, measureMs: 200, records: 1_000, growth: [], starts: 0 },
};
