// One process of a turn: opens a store, does what it is ordered to, answers over IPC, and ends. Where several play
// together, each waits for the word at every step, so that all of them are at work at the same time.

import type { Growth, InventoryTimes, Started } from "./growth-tasks.ts";
import { grow, measureInventory, measureStart } from "./growth-tasks.ts";
import { AUDIT_CONTENDERS } from "../audit/contenders.ts";
import { SCOPE_CONTENDERS } from "../scopes/contenders.ts";

import { CONTENDERS, type Opening, type Records } from "./contenders.ts";
import { COLLECTION } from "./documents.ts";
import { storeOpener, type Place } from "./places.ts";
import { BATCH, READS, WORKS, type ContenderId, type WorkId } from "./rows.ts";
import type { Trace } from "./window.ts";
import { atOnce, workUntilEnough } from "./work.ts";

/** What a process is to do. Numbers are those of records. */
export type Order =
  /** Writes so many records in batches. */
  | { readonly kind: "fill"; readonly place: Place; readonly contender: ContenderId; readonly records: number }
  | PlayOrder
  | { readonly kind: "grow"; readonly place: Place; readonly from: number; readonly to: number }
  | { readonly kind: "start"; readonly place: Place; readonly records: number }
  | { readonly kind: "inventory"; readonly place: Place; readonly records: number };

/** A part in a row: it waits for the word to begin, to stop when it has enough, and to read back what it wrote. */
export interface PlayOrder {
  readonly kind: "play";
  readonly place: Place;
  readonly contender: ContenderId;
  readonly work: WorkId;
  readonly atOnce: number;
  readonly warmupMs: number;
  /** It goes on for longer until a few operations have ended, and until all others have enough as well. */
  readonly measureMs: number;
  /** Records that are there; those of a store in memory are written first. */
  readonly records: number;
  /** The first number of the records that this process writes. */
  readonly first: number;
}

export type Answer =
  | { readonly kind: "filled"; readonly ms: number }
  | { readonly kind: "ready" }
  | { readonly kind: "enough" }
  | { readonly kind: "ran"; readonly trace: Trace; readonly written: number; readonly peakRssMiB: number }
  | { readonly kind: "verified"; readonly results: number; readonly stored: number }
  | { readonly kind: "grown"; readonly growth: Growth }
  | { readonly kind: "started"; readonly started: Started }
  | { readonly kind: "inventory"; readonly times: InventoryTimes }
  | { readonly kind: "failure"; readonly message: string };

/** Reads under way at once while a process reads back what it wrote. */
const READ_BACK_AT_ONCE = 64;

async function obey(order: Order): Promise<Answer> {
  switch (order.kind) {
    case "fill":
      return { kind: "filled", ms: await fill(order) };
    case "play":
      return play(order);
    case "grow":
      return { kind: "grown", growth: await grow(order.place, order.from, order.to) };
    case "start":
      return { kind: "started", started: await measureStart(order.place, order.records) };
    case "inventory":
      return { kind: "inventory", times: await measureInventory(order.place, order.records) };
  }
}

async function fill({ place, contender, records }: Order & { readonly kind: "fill" }): Promise<number> {
  const open = await storeOpener(place);
  const opened = await openRecords(contender, { store: await open(), place, work: "batch" });
  try {
    const start = performance.now();
    await writeFirst(opened, records);
    return performance.now() - start;
  } finally {
    await opened.close();
  }
}

const openRecords = (contender: ContenderId, opening: Opening): Promise<Records> =>
  ({ ...CONTENDERS, ...SCOPE_CONTENDERS, ...AUDIT_CONTENDERS })[contender](opening);

async function writeFirst(records: Records, count: number): Promise<void> {
  for (let first = 0; first < count; first += BATCH) await records.putBatch(first, Math.min(BATCH, count - first));
}

async function play(order: PlayOrder): Promise<Answer> {
  const open = await storeOpener(order.place);
  const store = await open();
  const records = await openRecords(order.contender, { ...order, store });
  try {
    if (order.place.kind === "memory") await writeFirst(records, order.records);
    await tell({ kind: "ready" });
    const { trace, operations } = await workUntilEnough(operationOf(order, records), order, () =>
      tell({ kind: "enough" }),
    );
    const written = READS.has(order.work) ? 0 : operations * WORKS[order.work].units;
    await tell({ kind: "ran", trace, written, peakRssMiB: process.resourceUsage().maxRSS / 1_024 });
    await atOnce(READ_BACK_AT_ONCE, written, (index) => records.get(order.first + index));
    const collections = await store.records.collections();
    const stored = collections.find(({ name }) => name === COLLECTION)?.records ?? 0;
    return { kind: "verified", results: operations + written, stored };
  } finally {
    await records.close();
  }
}

/** What is done again and again: the operation with a number, which counts from 0. */
function operationOf({ work, first, records: there }: PlayOrder, records: Records): (index: number) => Promise<void> {
  switch (work) {
    case "get":
    case "cold":
    case "served":
      return () => records.get(Math.floor(Math.random() * there));
    case "put":
      return (index) => records.put(first + index);
    case "batch":
    case "newcomers":
      return (index) => records.putBatch(first + index * BATCH, BATCH);
  }
}

/** Answers, and waits for the word to go on. */
async function tell(answer: Answer): Promise<void> {
  const goOn = new Promise((resolve) => process.once("message", resolve));
  process.send?.(answer);
  await goOn;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `; ${reasonOf(error.cause)}`;
  return `${"code" in error ? String(error.code) : error.name}: ${error.message}${cause}`;
}

// Whoever gave the order has what it wanted, or is gone.
process.once("disconnect", () => {
  process.exit();
});

process.once("message", (order: Order) => {
  void obey(order)
    .catch((error: unknown): Answer => ({ kind: "failure", message: reasonOf(error) }))
    .then((answer) => {
      process.send?.(answer);
    });
});
