// What a store is asked as it grows, in a process of its own each time. Its rows are written through the store's
// interface with the bytes of one sealed message: it is the store that grows, and sealing is measured elsewhere. Record
// 0 alone is the vault's own, so that there is one to open.

import type { Store, WrapSet, WrapSetId } from "@strongroom/vault";

import { median } from "../harness/report.ts";
import { addressOf, applyAll, CONTENDERS, FIRST, newWriteId, unitOf, WRAPS } from "./contenders.ts";
import { COLLECTION } from "./documents.ts";
import { storeOpener, type Place } from "./places.ts";
import { BATCH } from "./rows.ts";

/** A stretch of growth. */
export interface Growth {
  readonly records: number;
  readonly ms: number;
  /** The slowest batch. */
  readonly slowestMs: number;
  readonly peakRssMiB: number;
  /** Of the message that each record has. */
  readonly messageBytes: number;
}

/** A process that opens the store. */
export interface Started {
  /** From the first call of the store to the first document. */
  readonly startMs: number;
  /** Reads of random rows, one at a time: the median. */
  readonly readMs: number;
  readonly peakRssMiB: number;
}

/** What the inventory takes: medians in milliseconds. */
export interface InventoryTimes {
  /** Every version counted. */
  readonly countMs: number;
  /** Counted up to {@link COUNT_BOUND}. */
  readonly boundedCountMs: number;
  /** Whether any version has a set that all have. */
  readonly presentMs: number;
  /** Whether any has a set that none has any more: the proof that its key is not needed. */
  readonly absentMs: number;
  /** The first page of those that have a set. */
  readonly pageMs: number;
}

/** Up to how many a bounded count goes. */
export const COUNT_BOUND = 1_000;
/** Versions of a page of the inventory. */
export const PAGE = 500;
const READS = 2_000;
const REPEATS = 5;

/** The number of a record that is written and removed, beyond all others. */
const REMOVED = 2 ** 31;
/** The wrap set that it alone had. */
const LEFT_KEY = "left";
const LEFT: WrapSet = { ...WRAPS, wraps: [{ provider: "bench", key: LEFT_KEY, material: null }] };

/** Writes records up to `to`. @throws when there are not so many afterwards */
export async function grow(place: Place, from: number, to: number): Promise<Growth> {
  const open = await storeOpener(place);
  if (from === 0) await plant(open);
  const store = await open();
  try {
    const message = await plantedMessage(store);
    const { epoch } = await store.gate.current();
    const start = performance.now();
    let slowestMs = 0;
    for (let first = Math.max(from, 1); first < to; first += BATCH) {
      const count = Math.min(BATCH, to - first);
      const units = Array.from({ length: count }, (_, index) => unitOf(first + index, message, epoch));
      const begin = performance.now();
      await applyAll(store, units);
      slowestMs = Math.max(slowestMs, performance.now() - begin);
    }
    const ms = performance.now() - start;
    const peakRssMiB = process.resourceUsage().maxRSS / 1_024;
    const found = (await store.records.collections()).find(({ name }) => name === COLLECTION)?.records;
    if (found !== to) throw new Error(`the store counts ${found ?? "no"} records of ${to}`);
    return { records: to, ms, slowestMs, peakRssMiB, messageBytes: message.length };
  } finally {
    await store.close();
  }
}

/** The vault's own record, and a wrap set that no version has any more. */
async function plant(open: () => Promise<Store>): Promise<void> {
  const vault = await CONTENDERS.vault({ store: await open() });
  await vault.put(0);
  await vault.close();
  const store = await open();
  try {
    const { epoch } = await store.gate.current();
    const written = unitOf(REMOVED, await plantedMessage(store), epoch, LEFT);
    await applyAll(store, [written]);
    const change = { kind: "remove", tombstone: FIRST, removedAt: new Date().toISOString() } as const;
    await applyAll(store, [{ ...written, writeId: newWriteId(), base: { version: FIRST, state: "live" }, change }]);
  } finally {
    await store.close();
  }
}

async function plantedMessage(store: Store): Promise<Uint8Array> {
  const { stored } = await store.records.read(addressOf(0), null);
  if (stored === null) throw new Error("the record that the vault wrote is gone");
  return stored.message;
}

/** A process' first document, and then many rows. @throws when one of them is not as it was written */
export async function measureStart(place: Place, records: number): Promise<Started> {
  const open = await storeOpener(place);
  const start = performance.now();
  const store = await open();
  const vault = await CONTENDERS.vault({ store });
  try {
    await vault.get(0);
    const startMs = performance.now() - start;
    const message = await plantedMessage(store);
    const took: number[] = [];
    for (let index = 0; index < READS; index++) {
      const number = Math.floor(Math.random() * records);
      const begin = performance.now();
      const { stored } = await store.records.read(addressOf(number), null);
      took.push(performance.now() - begin);
      if (stored === null || Buffer.compare(stored.message, message) !== 0)
        throw new Error(`record ${number} is not as it was written`);
    }
    return { startMs, readMs: median(took), peakRssMiB: process.resourceUsage().maxRSS / 1_024 };
  } finally {
    await vault.close();
  }
}

/** What the inventory takes. @throws when one of its answers is wrong */
export async function measureInventory(place: Place, records: number): Promise<InventoryTimes> {
  const store = await (await storeOpener(place))();
  try {
    const { inventory } = store;
    const { held, left } = await setsOf(store);
    const expect = (what: string, found: unknown, expected: unknown): void => {
      if (found !== expected) throw new Error(`${what} is ${String(found)} and not ${String(expected)}`);
    };
    // The vault's own record has a set of its own, or the same.
    const counted = async (atMost: number): Promise<number> =>
      (await inventory.counts(held, atMost)).reduce((sum, { items }) => sum + items, 0);
    return {
      countMs: await medianMs(async () => {
        expect("the inventory's count", await counted(2 * records), records);
      }),
      boundedCountMs: await medianMs(async () => {
        const found = await counted(COUNT_BOUND);
        if (found < Math.min(COUNT_BOUND, records) || found > COUNT_BOUND * held.length)
          throw new Error(`the inventory counts ${found} when it is to stop at ${COUNT_BOUND}`);
      }),
      presentMs: await medianMs(async () => {
        expect("the probe of a set that all have", await inventory.any(held), true);
      }),
      absentMs: await medianMs(async () => {
        expect("the probe of a set that none has", await inventory.any(left), false);
      }),
      pageMs: await medianMs(async () => {
        const page = await inventory.list({ sets: held, after: null, limit: PAGE });
        expect("a page of the inventory", page.length, Math.min(PAGE, records));
      }),
    };
  } finally {
    await store.close();
  }
}

/** The sets that versions have, and the one that none has any more. */
async function setsOf(
  store: Store,
): Promise<{ readonly held: readonly WrapSetId[]; readonly left: readonly WrapSetId[] }> {
  const sets = await store.inventory.sets();
  const isLeft = (set: WrapSet | null): boolean => set?.wraps.some(({ key }) => key === LEFT_KEY) === true;
  const left = sets.filter(({ set }) => isLeft(set)).map(({ id }) => id);
  if (left.length !== 1) throw new Error(`${left.length} wrap sets and not one are without a version`);
  return { held: sets.filter(({ set }) => !isLeft(set)).map(({ id }) => id), left };
}

async function medianMs(work: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const begin = performance.now();
    await work();
    took.push(performance.now() - begin);
  }
  return median(took);
}
