// How a store grows: one after the other it is filled to each size, and then asked what a process asks of it when it
// starts and what an operator asks of the inventory.

import type { Growth, InventoryTimes, Started } from "./growth-tasks.ts";
import type { Processes } from "./processes.ts";
import type { Effort, StoreKind } from "./rows.ts";
import type { Site } from "./sites.ts";
import { messageOf, type StoreFailure } from "./turns.ts";

/** A store at one size. */
export interface Size {
  readonly store: StoreKind;
  readonly records: number;
  /** How many were written in this stretch. */
  readonly written: number;
  readonly growth: Growth;
  readonly bytesPerRecord: number;
  readonly started: Started;
  readonly inventory: InventoryTimes;
}

export interface GrowthOptions {
  readonly processes: Processes;
  readonly effort: Pick<Effort, "growth" | "starts">;
  /** Told before each step, for a line of progress. */
  readonly onStep: (step: string) => void;
}

export async function growSites(
  sites: readonly Site[],
  options: GrowthOptions,
): Promise<{ readonly sizes: readonly Size[]; readonly failures: readonly StoreFailure[] }> {
  const grown: Size[] = [];
  const failures: StoreFailure[] = [];
  for (const site of sites) {
    try {
      for await (const size of growthOf(site, options)) grown.push(size);
    } catch (error) {
      failures.push({ row: `${site.kind}-growth`, contender: null, round: null, message: messageOf(error) });
    }
  }
  return { sizes: grown, failures };
}

async function* growthOf(site: Site, { processes, effort, onStep }: GrowthOptions): AsyncGenerator<Size, void> {
  const place = await site.make();
  try {
    // What a store takes before it has a record is not a record's.
    await processes.ask({ kind: "fill", place, contender: "vault", records: 0 }, "filled");
    const empty = await site.size(place);
    let from = 0;
    for (const to of effort.growth) {
      onStep(`growth  ${site.kind}  ${to}`);
      const { growth } = await processes.ask({ kind: "grow", place, from, to }, "grown");
      await site.settle(place);
      const bytes = await site.size(place);
      const started: Started[] = [];
      for (let start = 0; start < effort.starts; start++)
        started.push((await processes.ask({ kind: "start", place, records: to }, "started")).started);
      const { times } = await processes.ask({ kind: "inventory", place, records: to }, "inventory");
      yield {
        store: site.kind,
        records: to,
        written: to - from,
        growth,
        bytesPerRecord: (bytes - empty) / to,
        started: middleOf(started),
        inventory: times,
      };
      from = to;
    }
  } finally {
    await site.remove(place);
  }
}

/** The start that took neither least nor most. */
function middleOf(started: readonly Started[]): Started {
  const sorted = started.toSorted((one, other) => one.startMs - other.startMs);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new RangeError("no process was started");
  return middle;
}
