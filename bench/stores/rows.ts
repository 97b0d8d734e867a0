// What is measured of the stores, and what is asked of it. Every row is played by the vault and, beside it, by the same
// rows in clear through the same store's interface.

import type { Scope } from "@strongroom/vault";

import type { Pace } from "../harness/row.ts";

export type StoreKind = "sqlite" | "postgres" | "memory";
/**
 * `vault`: one without keys of people. `clear`: the store's own interface with the documents' bytes as they are. The
 * others are of the scopes (../scopes/rows.ts): a vault with a key store in each of them, and `people`: the same rows
 * in clear, with those of the people; and of the audit (../audit/rows.ts): a vault with one, the same without, and
 * `commit`: a durable entry alone.
 */
export type ContenderId = "vault" | "clear" | Scope | "people" | "audited" | "unaudited" | "commit";
export type WorkId = "get" | "cold" | "served" | "put" | "batch" | "newcomers";

/** What is asked in a row. */
export type StoreTarget =
  /** The rate of `of` (left out: the vault) over that of a contender, in this row or in another one. */
  | {
      readonly kind: "ratio";
      readonly of?: ContenderId;
      readonly row: string;
      readonly contender: ContenderId;
      readonly atLeast: number;
    }
  /** The 99th percentile of the vault's latency. */
  | { readonly kind: "latency"; readonly below: number }
  /** By how much the median latency of `of` is above that of another one: at most that of `commit`, and a little. */
  | {
      readonly kind: "added";
      readonly of: ContenderId;
      readonly beside: ContenderId;
      readonly commit: ContenderId;
      readonly moreMs: number;
    };

/** One kind of work on one store by so many processes at once. */
export interface StoreRow {
  readonly id: string;
  readonly store: StoreKind;
  readonly work: WorkId;
  readonly processes: number;
  /** Operations under way in each process. */
  readonly atOnce: number;
  readonly contenders: readonly ContenderId[];
  readonly targets: readonly StoreTarget[];
}

/** Records of a batch. */
export const BATCH = 500;

/** `units`: how many records one operation is. */
export const WORKS: Readonly<Record<WorkId, { readonly title: string; readonly units: number }>> = {
  get: { title: "get", units: 1 },
  cold: { title: "get of somebody whose key is not in memory", units: 1 },
  served: { title: "get over HTTP", units: 1 },
  put: { title: "put", units: 1 },
  batch: { title: `batch put of ${BATCH}`, units: BATCH },
  newcomers: { title: `batch put of ${BATCH}, each about somebody new`, units: BATCH },
};

/** Kinds of work that change no record. */
export const READS: ReadonlySet<WorkId> = new Set<WorkId>(["get", "cold", "served"]);

export const STORES: Readonly<Record<StoreKind, { readonly title: string; readonly processes: readonly number[] }>> = {
  sqlite: { title: "SQLite", processes: [1, 2, 4] },
  postgres: { title: "PostgreSQL", processes: [1, 2, 4] },
  // Nobody shares a process' memory.
  memory: { title: "memory", processes: [1] },
};

/** In the order of the tables. */
const LOADS: readonly { readonly work: WorkId; readonly atOnce: number }[] = [
  { work: "get", atOnce: 64 },
  { work: "get", atOnce: 1 },
  { work: "put", atOnce: 64 },
  { work: "put", atOnce: 1 },
  { work: "batch", atOnce: 1 },
];

/**
 * The least that a vault does of the same rows in clear, with one process: of hot gets at 64 at once and of batches.
 */
export const OF_CLEAR: Readonly<Record<string, number>> = {
  "sqlite-get-64x1": 0.25,
  "postgres-get-64x1": 0.35,
  "sqlite-batch-1x1": 0.15,
  "postgres-batch-1x1": 0.3,
};

/** What several processes do together, of what one does alone, and how long one of a hundred may wait. */
const SHARED = { atLeast: 0.8, p99BelowMs: 100 };

export const ROWS: readonly StoreRow[] = (Object.keys(STORES) as StoreKind[]).flatMap((store) =>
  LOADS.flatMap(({ work, atOnce }) => STORES[store].processes.map((processes) => row(store, work, atOnce, processes))),
);

function row(store: StoreKind, work: WorkId, atOnce: number, processes: number): StoreRow {
  const idOf = (count: number): string => `${store}-${work}-${atOnce}x${count}`;
  const id = idOf(processes);
  const ofClear = OF_CLEAR[id];
  const targets: StoreTarget[] = [];
  if (ofClear !== undefined) targets.push({ kind: "ratio", row: id, contender: "clear", atLeast: ofClear });
  if (store === "sqlite" && work !== "batch") {
    if (processes > 1) targets.push({ kind: "ratio", row: idOf(1), contender: "vault", atLeast: SHARED.atLeast });
    targets.push({ kind: "latency", below: SHARED.p99BelowMs });
  }
  return { id, store, work, processes, atOnce, contenders: ["vault", "clear"], targets };
}

/** How much a run does. */
export interface Effort {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Records that are there before the clock starts. */
  readonly records: number;
  /** Sizes to which one store grows, one after the other. */
  readonly growth: readonly number[];
  /** Processes that are started at each size; the one in the middle counts. */
  readonly starts: number;
}

/** `full` for figures to be written down, `quick` to see that everything works. */
export const EFFORTS: Readonly<Record<Pace, Effort>> = {
  full: {
    rounds: 3,
    warmupMs: 1_000,
    measureMs: 2_500,
    records: 10_000,
    growth: [10_000, 100_000, 1_000_000],
    starts: 5,
  },
  quick: { rounds: 1, warmupMs: 100, measureMs: 400, records: 1_000, growth: [1_000, 4_000], starts: 1 },
};

/** A quick run plays each kind of work once or twice, where there is most to do. */
export function rowsOf(pace: Pace): readonly StoreRow[] {
  if (pace === "full") return ROWS;
  const isQuick: Readonly<Partial<Record<WorkId, (row: StoreRow) => boolean>>> = {
    get: ({ processes, atOnce }) => atOnce > 1 && processes < 4,
    put: ({ processes, atOnce, store }) => atOnce > 1 && processes < 4 && store !== "memory",
    batch: ({ processes, store }) => processes === 1 && store !== "memory",
  };
  return ROWS.filter((row) => isQuick[row.work]?.(row));
}
